"""What JupyterLab shows otherwise than by itself: `custom/custom.css`, beside this file."""

from pathlib import Path

c = get_config()  # noqa: F821
c.LabApp.custom_css = True
c.ServerApp.tornado_settings = {"static_custom_path": [str(Path(__file__).with_name("custom"))]}
