"""A project: the graph, the data it is for and the training settings; and its file."""

from studio.project.file import ProjectFileError, project_from_json, project_to_json, read_project, write_project
from studio.project.model import Project, StartingWeights
from studio.project.templates import Template, UnknownTemplateError, read_template, templates

__all__ = [
    "Project", "ProjectFileError", "StartingWeights", "Template", "UnknownTemplateError", "project_from_json",
    "project_to_json", "read_project", "read_template", "templates", "write_project",
]  # fmt: skip
