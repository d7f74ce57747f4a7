"""A class at one endpoint: who its learners are, what they share, and what each may use.

door        one command opens it: `seats` with a code each, a `sheet` of them to print, a `folder`;
hub_door    one command opens it on JupyterHub, with an account of the system's for each learner:
            `jupyterhub_config`, the endpoint as its `service`, which asks the `hub` who asks
shares      equal questions get one answer, a `take` for all who ask them
allowance   what each may use, kept in a `ledger`
upstream    another server's model as the engine, a `relay` to a cloud; they stand `behind` a class
            or one's `own` endpoint
"""
