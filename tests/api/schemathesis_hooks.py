"""How the tester of the API writes the one kind of body that it does not know of itself."""

import schemathesis
from schemathesis import SerializationContext


@schemathesis.serializer("application/toml")
def as_toml(context: SerializationContext, value: object) -> bytes:
    return str(value).encode("utf-8", "replace")
