"""The course as a page: a static site in whose kernel, a Python in the browser, every lesson runs.

parts       what the site is made of, from PyPI and npm, each by its hash
site        puts them, the package and the lessons together: nothing but files
front       its first page: what this is, and the lessons
kernel      runs in the page: the endpoint behind a tape, without a port
loop        the event loop of that endpoint, and how a call of the SDK reaches it
arrays      what the lab uses of NumPy, in plain Python, where there is no NumPy
"""
