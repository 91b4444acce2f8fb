"""YAML as people write settings: the safe subset, no key given twice, every fault a ValueError of one line."""

from __future__ import annotations

from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """The safe loader; it looks at the file as it is written, before anchors are merged into one another."""

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
        """Return a mapping. Raises MarkedYAMLError for a key given twice, of which PyYAML would keep the last."""
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and (key.tag, key.value) in seen:
                raise yaml.MarkedYAMLError(None, None, f"the key {key.value!r} is given twice", key.start_mark)
            seen.add((key.tag, str(key.value)))
        return node

    def compose_scalar_node(self, anchor: str | None) -> yaml.ScalarNode:
        """Return a scalar. Raises UnicodeEncodeError for half of a surrogate pair, which no file could hold again."""
        node = super().compose_scalar_node(anchor)
        node.value.encode()
        return node

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """Return a whole number. Raises ValueError for one that Python reads, in base 16, and cannot write again."""
        found = super().construct_yaml_int(node)
        str(found)
        return found


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def parsed(text: str) -> Any:
    """Return what a YAML document holds. Raises ValueError, one line, for one that is not valid.

    PyYAML's constructors raise whatever they meet first where a tag does not fit its value: KeyError for `!!bool foo`,
    AttributeError for `!!timestamp foo`, ValueError for a thirteenth month, RecursionError for deep nesting.
    """
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error
    except Exception as error:
        raise ValueError(f"{type(error).__name__} {' '.join(str(error).split())}") from error
