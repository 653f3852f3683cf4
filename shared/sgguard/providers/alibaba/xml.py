"""The XML responses of the Alibaba Cloud ECS API in the form of its JSON responses.

Document types are refused before anything in them is read, so there are no entities to expand;
size and depth are bounded.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

_BODY_MAX_BYTES = 16 * 1024 * 1024
_DEPTH_MAX = 24

_LISTS = {
    "SecurityGroupReferences": "SecurityGroupReference",
    "ReferencingSecurityGroups": "ReferencingSecurityGroup",
    "SecurityGroups": "SecurityGroup",
    "Permissions": "Permission",
    "Instances": "Instance",
    "NetworkInterfaces": "NetworkInterface",
    "NetworkInterfaceSets": "NetworkInterfaceSet",
    "SecurityGroupIds": "SecurityGroupId",
    "Tags": "Tag",
}
"""Elements that are lists, and the name of their entries: XML does not distinguish them."""


class _BadDocumentError(ValueError):
    """The document has a part that no response of this API has."""


class _Builder:
    """A tree builder that refuses document types."""

    def __init__(self) -> None:
        tree = ET.TreeBuilder()
        self.start, self.end, self.data, self.close = tree.start, tree.end, tree.data, tree.close

    def doctype(self, name: str, _pubid: str | None, _system: str | None) -> None:
        raise _BadDocumentError(f"a document type ({name})")


def parse_xml(body: bytes, roots: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the fields below the root element.

    Values are text, objects or lists. None: the body is not such a document, but not XML, or with
    another root, a document type, or a list with entries of another name.
    """
    if len(body) > _BODY_MAX_BYTES:
        return None
    try:
        parser = ET.XMLParser(target=_Builder())  # noqa: S314 - the builder refuses DTDs
        parser.feed(body)
        root = parser.close()
        fields = _value(root, _DEPTH_MAX) if root.tag in roots else None
    except (ET.ParseError, ValueError, LookupError):
        return None
    return fields if isinstance(fields, dict) else None


def _value(element: ET.Element, depth: int) -> Any:
    if depth == 0:
        raise _BadDocumentError("nested too deeply")
    text, children = (element.text or "").strip(), list(element)
    item = _LISTS.get(element.tag)
    if item is not None:
        if text or any(child.tag != item for child in children):
            raise _BadDocumentError(f"<{element.tag}> holds something else than <{item}>")
        return {item: [_value(child, depth - 1) for child in children]}
    if not children:
        return text
    fields: dict[str, Any] = {}
    for child in children:
        value = _value(child, depth - 1)
        # Unknown lists are in parts that are not read. A member that is read and comes twice is a
        # list then, which none of its readers takes.
        several = child.tag in fields
        fields[child.tag] = [*_listed(fields[child.tag]), value] if several else value
    return fields


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
