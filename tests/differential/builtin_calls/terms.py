"""Rego terms as Python values: str, bool, None, list, and the classes below; each as Rego text by `text`."""

import json


class Number(str):
    """A number by its spelling."""


class Set(list):
    """A set, by its members."""


class Object(list):
    """An object, by its pairs of key and value."""


def obj(**members):
    return Object((key, value) for key, value in members.items())


def num(value):
    return Number(value)


def text(term):
    if term is None:
        return "null"
    if isinstance(term, bool):
        return "true" if term else "false"
    if isinstance(term, Number):
        return str.__str__(term)
    if isinstance(term, int):
        return str(term)
    if isinstance(term, str):
        return json.dumps(term)
    if isinstance(term, Object):
        return "{" + ", ".join(text(key) + ": " + text(value) for key, value in term) + "}"
    if isinstance(term, Set):
        return "{" + ", ".join(map(text, term)) + "}" if term else "set()"
    return "[" + ", ".join(map(text, term)) + "]"
