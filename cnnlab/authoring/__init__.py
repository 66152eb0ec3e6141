"""From text sources to notebooks: lectures, assignments for nbgrader, their releases and solutions."""
