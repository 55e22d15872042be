"""studio list: what there is."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import partial
from typing import Any

from studio.blocks import registry as blocks
from studio.data import registry as datasets
from studio.data.transforms import registry as transforms
from studio.fields import specs
from studio.project import read_project, templates
from studio.registry import Registry
from studio.settings import losses, optimizers, schedules


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "list", help="blocks, datasets, transforms, optimizers, schedules, losses, templates or devices"
    )
    parser.add_argument("what", choices=list(_LISTS))
    parser.add_argument("--json", action="store_true", help="as a JSON list")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the list."""
    items = _LISTS[options.what]()
    if options.json:
        print(json.dumps(items, indent=1, ensure_ascii=False))
        return 0
    width = max((len(item["name"]) for item in items), default=0)
    for item in items:
        print(f"{item['name']:<{width}}  {item['title']}: {item['about']}")
    return 0


def _blocks() -> list[dict[str, Any]]:
    return [
        {
            "name": block.kind,
            "title": block.title,
            "about": (block.__doc__ or "").splitlines()[0],
            "group": block.group,
            "fields": {spec.name: spec.default for spec in specs(block)},
        }
        for block in blocks
    ]


def _datasets() -> list[dict[str, Any]]:
    return [
        {
            "name": source.kind,
            "title": source.title,
            "about": source.about,
            "group": source.group,
            "download_bytes": source.download_bytes,
            "fields": {spec.name: spec.default for spec in specs(source)},
        }
        for source in datasets
    ]


def _transforms() -> list[dict[str, Any]]:
    return [
        {
            "name": transform.kind,
            "title": transform.title,
            "about": (transform.__doc__ or "").splitlines()[0],
            "group": transform.group,
            "fields": {spec.name: spec.default for spec in specs(transform)},
        }
        for transform in transforms
    ]


def _templates() -> list[dict[str, Any]]:
    projects = [(template.name, read_project(template.path)) for template in templates()]
    return [
        {"name": name, "title": p.title, "about": p.notes.split("\n")[0], "data": p.data.source.kind}
        for name, p in projects
    ]


def _devices() -> list[dict[str, Any]]:
    from studio.training.devices import list_devices  # loads torch

    return [
        {"name": info.kind, "title": info.name, "about": info.detail, "available": info.available}
        for info in list_devices()
    ]


def _chosen(kinds: Registry[Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": kind.kind,
            "title": kind.title,
            "about": (kind.__doc__ or "").splitlines()[0],
            "fields": {spec.name: spec.default for spec in specs(kind)},
        }
        for kind in kinds
    ]


_LISTS: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "blocks": _blocks,
    "datasets": _datasets,
    "transforms": _transforms,
    "templates": _templates,
    "devices": _devices,
    "optimizers": partial(_chosen, optimizers),
    "schedules": partial(_chosen, schedules),
    "losses": partial(_chosen, losses),
}
