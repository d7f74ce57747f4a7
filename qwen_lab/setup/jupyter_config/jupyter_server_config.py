"""What JupyterLab shows and runs otherwise than by itself: from the folders beside this file."""

from pathlib import Path

HERE = Path(__file__).parent
c = get_config()  # noqa: F821
c.LabApp.custom_css = True
c.LabApp.extra_labextensions_path = [str(HERE / "labextensions")]
c.ServerApp.tornado_settings = {"static_custom_path": [str(HERE / "custom")]}
