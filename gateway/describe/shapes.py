"""JSON schemas of the structs on the wire, as msgspec writes them from the types, made exact where a type says less.

A struct's fields are all sent unless they may be UNSET, so they are required also where they have a default. A field of
raw JSON is described by RAW. A field whose name is short on the wire has its long one as its description.
"""
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec
from msgspec import UNSET, Struct

from gateway.list_protocol import ListStatus
from gateway.protocol import (
    AccountPosition,
    BalanceUpdate,
    CancelReplaced,
    ExecutionReport,
    OrderAck,
    OrderCanceled,
    OrderFull,
    OrderResult,
    UserEvent,
)
from gateway.rest.shapes import ErrorBody
from gateway.small_shapes import StreamTerminated

REF = "#/components/schemas/{name}"
Schema = dict[str, Any]
PRIVATE_EVENTS = ExecutionReport | AccountPosition | BalanceUpdate | ListStatus
RAW: dict[tuple[type, str], Any] = {
    (CancelReplaced, "cancelResponse"): OrderCanceled | ErrorBody,
    (CancelReplaced, "newOrderResponse"): OrderFull | OrderResult | OrderAck | ErrorBody | None,
    (UserEvent, "event"): PRIVATE_EVENTS | StreamTerminated,
}


def structs_in(kind: Any) -> set[type[Struct]]:
    """The structs that a type is made of, at any depth."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        found = {kind}
        for field in msgspec.structs.fields(kind):
            found |= structs_in(RAW.get((kind, field.encode_name), field.type))
        return found
    return set().union(*(structs_in(part) for part in get_args(kind)))


def schema_of(kind: Any) -> Schema:
    """The schema of a type; structs are references into `components`."""
    if get_origin(kind) in (Union, UnionType):
        return {"anyOf": [schema_of(part) for part in get_args(kind)]}
    if get_origin(kind) is list:
        return {"type": "array", "items": schema_of(get_args(kind)[0])}
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=REF)
    return schema


def components(kinds: list[Any]) -> dict[str, Schema]:
    """The schemas of all structs that these types are made of, by name.

    Unions are left to anyOf: the discriminator that msgspec adds is an object to OpenAPI and a text to AsyncAPI.
    """
    structs = sorted(set().union(*(structs_in(kind) for kind in kinds)), key=lambda struct: struct.__name__)
    _, schemas = msgspec.json.schema_components(structs, ref_template=REF)
    for struct in structs:
        _make_exact(struct, schemas[struct.__name__])
        _drop_discriminators(schemas[struct.__name__])
    return dict(sorted(schemas.items()))


def _make_exact(struct: type[Struct], schema: Schema) -> None:
    if struct.__struct_config__.array_like:
        schema["maxItems"] = schema["minItems"]
        return
    tag = [struct.__struct_config__.tag_field] if struct.__struct_config__.tag_field else []
    fields = msgspec.structs.fields(struct)
    schema["required"] = tag + [field.encode_name for field in fields if field.default is not UNSET]
    for field in fields:
        described = schema["properties"][field.encode_name]
        if (struct, field.encode_name) in RAW:
            described |= schema_of(RAW[struct, field.encode_name])
        if len(field.encode_name) <= 2 and field.name != field.encode_name:
            described["description"] = field.name.replace("_", " ")
        if field.name == "event" and isinstance(field.default, str):
            described["const"] = described.pop("default")


def _drop_discriminators(schema: Schema) -> None:
    schema.pop("discriminator", None)
    for part in (*schema.get("properties", {}).values(), schema.get("items")):
        if isinstance(part, dict):
            _drop_discriminators(part)
