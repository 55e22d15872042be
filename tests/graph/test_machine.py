"""Whatever is done in whatever order, a graph stays consistent, and every step can be undone and done again."""

from tests.graph.machine import SETTINGS, GraphMachine

TestGraphMachine = GraphMachine.TestCase
TestGraphMachine.settings = SETTINGS
