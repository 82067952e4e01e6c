"""Static files: hashed and compressed names once `collectstatic` has made them, plain ones before.

So that `migrate` and `serve` are enough for a site, and `collectstatic` makes it faster. What our own modules say to
their readers is left out of what it collects: a third of their size. And those that every chat page begins with are
joined: one file compresses better than thirty, and comes with one request.
"""

import re
from collections.abc import Iterator
from typing import Any

from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

from chats.templatetags.chat_page import JOINED, PRELOADED

__all__ = ["HashedOnceCollected", "joined", "without_comments"]

OWN = re.compile(r"chats/.*\.(?:js|css)")
# Comments that have their lines to themselves, and indentation; nothing that could stand in a string.
_COMMENTS = re.compile(r"^[ \t]*(?:/\*(?:[^*]|\*(?!/))*\*/[ \t]*\n|//[^\n]*\n)", re.MULTILINE)
_INDENTATION = re.compile(r"^[ \t\n]+", re.MULTILINE)
_IMPORT = re.compile(r'^import \{(\s*\w+(?:,\s*\w+)*,?\s*)\} from "(wb/[\w/]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const) (\w+))", re.MULTILINE)
_UNJOINABLE = re.compile(r"^(?:import\b(?! ?\()|export\b)", re.MULTILINE)


def without_comments(source: str) -> str:
    """A module or style sheet of ours, which has no comment marks at the beginning of a line of a template string."""
    return _INDENTATION.sub("", _COMMENTS.sub("", source))


def joined(sources: dict[str, str]) -> str:
    """One module that exports what all of these export. Keys are bare names ("wb/dom").

    Each keeps a scope of its own, and they run in the order in which they would be imported. They import, and export,
    by name alone, and no two export the same name; ValueError where that isn't so.
    """
    outside: dict[str, set[str]] = {}
    for source in sources.values():
        for names, origin in _IMPORT.findall(source):
            if origin not in sources:
                outside.setdefault(origin, set()).update(name.strip() for name in names.split(",") if name.strip())
    imports = [f'import {{ {", ".join(sorted(names))} }} from "{origin}";\n' for origin, names in outside.items()]
    exported = [name for source in sources.values() for name in _EXPORT.findall(source)]
    if twice := {name for name in exported if exported.count(name) > 1}:
        raise ValueError(f"Modules that are joined export the same name: {', '.join(sorted(twice))}.")
    return "".join([*imports, *(_block(name, sources[name]) for name in _in_order(sources))])


def _in_order(sources: dict[str, str]) -> list[str]:
    """Each after all that it imports."""
    order: dict[str, None] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise ValueError(f"Modules that are joined import each other: {' → '.join([*path, name])}.")
        for _, origin in _IMPORT.findall(sources[name]):
            if origin in sources and origin not in order:
                visit(origin, (*path, name))
        order[name] = None

    for name in sources:
        visit(name, ())
    return list(order)


def _block(name: str, source: str) -> str:
    names = ", ".join(_EXPORT.findall(source))
    body = _EXPORT.sub("", _IMPORT.sub("", source))
    if _UNJOINABLE.search(body):
        raise ValueError(f"{name} imports or exports in a way that can't be joined: by name alone, please.")
    return f"export const {{ {names} }} = (() => {{\n{body}return {{ {names} }};\n}})();\n"


class HashedOnceCollected(CompressedManifestStaticFilesStorage):
    """whitenoise's storage, which would raise for every file while there is no manifest."""

    def stored_name(self, name: str) -> str:
        return str(super().stored_name(name)) if self.hashed_files else name

    def post_process(self, paths: dict[str, Any], *arguments: Any, **options: Any) -> Iterator[Any]:
        """Joins what pages begin with, before names are hashed and files compressed."""
        modules = {f"wb/{name}": f"chats/{name}.js" for name in PRELOADED}
        is_dry = bool(arguments[0] if arguments else options.get("dry_run"))  # then nothing has been collected
        if not is_dry and paths.keys() >= set(modules.values()):
            sources = {name: self.open(path).read().decode() for name, path in modules.items()}
            self.delete(JOINED)
            self.save(JOINED, ContentFile(joined(sources).encode()))
            paths[JOINED] = (self, JOINED)
        yield from super().post_process(paths, *arguments, **options)

    def _save(self, name: str, content: Any) -> str:
        if OWN.fullmatch(name.replace("\\", "/")):
            content.seek(0)  # its hash was read of it
            content = ContentFile(without_comments(content.read().decode()).encode())
        return str(super()._save(name, content))
