"""The course as a page: a static site in whose kernel, a Python in the browser, every lesson runs.

parts       what the site is made of, from PyPI and npm, each by its hash
site        puts them, the package and the lessons together: nothing but files
front       its first page: what this is, and the lessons
jupyterlab  JupyterLab's page, as a learner needs it
contents    the lessons, as JupyterLite lists them
python      Pyodide, its library and the packages that it loads
compiled    their modules, compiled beforehand
archive     files by their paths, and the archives that hold them
weights     the Qwen's weights: what a site brings to fetch them; those that a browser keeps
offer       where a learner fetches them
kernel      runs in the page: who answers there, behind an endpoint without a port
qwen        the real Qwen behind it, in a worker of its own (`qwen.js`)
vocabulary  its tokens and its template, which nobody else tells there
letters     characters that come as several tokens
loop        the event loop of that endpoint, and how a call of the SDK reaches it
fetch       calls to a class, over the network
arrays      what the lab uses of NumPy, in plain Python, where there is no NumPy
"""
