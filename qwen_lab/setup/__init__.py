"""Before and around JupyterLab: the environment, the command line, the commands."""
