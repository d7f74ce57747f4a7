"""A request refused as DashScope refuses it: status, code, message, and the recorded envelope."""

HELP = "https://help.aliyun.com/zh/model-studio/error-code"


class Refusal(Exception):
    """An answer that is an error; the envelope is `dashscope.md` section 4.1's."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: str = "invalid_parameter_error",
        type: str = "invalid_request_error",
        by_model: bool = False,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.type, self.by_model = status, code, type, by_model

    def body(self, request_id: str) -> dict:
        """The error as JSON; errors from the model's own layer carry an answer's id as well."""
        error = {"message": str(self), "type": self.type, "param": None, "code": self.code}
        owner = {"id": f"chatcmpl-{request_id}"} if self.by_model else {}
        return {"error": error, **owner, "request_id": request_id}


def invalid(message: str) -> Refusal:
    """A parameter that the model's layer refuses, with the prefix that DashScope puts there."""
    return Refusal(f"<400> InternalError.Algo.InvalidParameter: {message}", by_model=True)


def wrong_key() -> Refusal:
    message = f"Incorrect API key provided. For details, see: {HELP}#apikey-error"
    return Refusal(message, status=401, code="invalid_api_key")


def unknown_model(name: object) -> Refusal:
    message = f"The model `{name}` does not exist or you do not have access to it."
    return Refusal(message, status=404, code="model_not_found")


def broken() -> Refusal:
    """A fault of the endpoint itself: no detail leaves it, the log has the traceback."""
    message = "An internal error has occurred, please try again later or contact service support."
    return Refusal(message, status=500, code="internal_error", type="internal_error")
