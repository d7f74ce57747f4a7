"""A class on JupyterHub: the configuration that `qwen-lab class --hub` runs.

In a hub of your own, take over what stands under "The Qwen" and "Servers", with your own values in
place of `told`, which the command fills in.
"""

import json
import os
import shutil
import sys
from pathlib import Path

from jupyterhub.auth import PAMAuthenticator
from jupyterhub.spawner import SpawnException

import qwen_lab
from qwen_lab.course import lessons
from qwen_lab.words import language, say

c = get_config()  # noqa: F821
told = json.loads(os.environ["QWEN_LAB_CLASS"])
config = told["class"]
port, proxy, hub, qwen = told["ports"]

# Where it listens. Learners reach the first port alone.
scheme = "https" if config["certificate"] else "http"
c.JupyterHub.bind_url = f"{scheme}://{config['address']}:{port}"
c.JupyterHub.ssl_cert, c.JupyterHub.ssl_key = config["certificate"] or "", config["key"] or ""
c.JupyterHub.hub_ip, c.JupyterHub.hub_port = "127.0.0.1", hub
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{proxy}"
c.ConfigurableHTTPProxy.command = told["proxy"]
c.ConfigurableHTTPProxy.log_level = "warn"


# Who comes in: by the name on the sheet, however it is typed; PAM knows the account behind it.
class Seats(PAMAuthenticator):
    accounts = {name.casefold(): account for name, account in told["accounts"].items()}

    def authenticate(self, handler, data):
        name = " ".join(data["username"].split()).casefold()
        return super().authenticate(handler, data | {"username": self.accounts.get(name, name)})

    def normalize_username(self, username):
        return username

    def validate_username(self, username):
        return username in self.allowed_users


c.JupyterHub.authenticator_class = Seats
c.Authenticator.allowed_users = {*told["accounts"].values()}
# Whoever has no seat any more is forgotten at the start, with cookies and tokens of earlier.
c.Authenticator.delete_invalid_users = True
# PAM takes three seconds for a wrong password: nobody else is to wait for that.
c.PAMAuthenticator.executor_threads = 64
c.JupyterHub.template_vars = {"announcement_login": say("classroom.hub_login")}

# The Qwen: a service that knows learners by their hub's tokens, and is told its port here.
may_ask = "access:services!service=qwen"
own = {"QWEN_LAB_HOME": os.environ["QWEN_LAB_HOME"], "QWEN_LAB_LANG": language()}
given = {name: os.environ.get(name) for name in ("QWEN_LAB_NOTES", "QWEN_LAB_UPSTREAM_KEY")}
given |= {"QWEN_LAB_GGUF": told["weights"], "QWEN_LAB_CLASS": json.dumps(config)}
c.JupyterHub.services = [
    {
        "name": "qwen",
        "url": f"http://127.0.0.1:{qwen}",
        "command": [sys.executable, "-P", "-m", "qwen_lab.classroom.service"],
        "environment": own | {name: value for name, value in given.items() if value},
        "display": False,
        "timeout": 120,
    }
]
c.JupyterHub.extra_user_scopes = {may_ask}
c.Spawner.server_token_scopes = ["users:activity!user", "access:servers!server", may_ask]

# Servers: each learner's own JupyterLab, with copies of the lessons in their home.
SEAT = """
from jupyterhub import singleuser
from qwen_lab.course import lessons
lessons.copy()
singleuser.main()
"""
c.Spawner.cmd = [sys.executable, "-P", "-c", SEAT]
c.Spawner.default_url = f"/lab/tree/my_lessons/{language()}/{lessons.first(language())}"
c.Spawner.environment = {
    "QWEN_LAB_ENDPOINT": f"http://127.0.0.1:{qwen}/compatible-mode/v1",
    "QWEN_LAB_LANG": language(),
    "JUPYTER_CONFIG_PATH": str(Path(qwen_lab.__file__).parent / "setup" / "jupyter_config"),
    "JUPYTER_PREFER_ENV_PATH": "1",
}
# All log in at once, on a computer with few cores.
c.Spawner.start_timeout = c.Spawner.http_timeout = 300


def need_room(spawner):
    if shutil.disk_usage(Path(f"~{spawner.user.name}").expanduser()).free < 20e6:
        raise SpawnException(say("classroom.home_full"), reason="full", status_code=507)


c.Spawner.pre_spawn_hook = need_room
