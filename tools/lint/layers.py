"""Who may include whom: reads layers.txt, judges an include, and derives the package groups.

A line is "folder: folder folder …". A name covers the folders under it; a folder may always include
itself; the longest line that covers a folder judges it.
"""

GROUPS_BEGIN = "# --- layers: written by tools/lint/check.py --write-groups from layers.txt ---"
GROUPS_END = "# --- end of layers ---"


def covers(name, folder):
    """Whether `name` is `folder` or one above it."""
    return name == folder or folder.startswith(name + "/")


class Layers:
    """The rules of one layers.txt."""

    def __init__(self, text):
        self.allowed = {}
        for number, line in enumerate(text.splitlines(), 1):
            line = line.split("#")[0].strip()
            if not line:
                continue
            folder, colon, names = line.partition(":")
            if not colon:
                raise ValueError(f"line {number}: expected 'folder: folder …', got '{line}'")
            if folder.strip() in self.allowed:
                raise ValueError(f"line {number}: a second line for '{folder.strip()}'")
            self.allowed[folder.strip()] = names.split()

    def rule_of(self, folder):
        """The name of the line that judges `folder`, or None where there is none."""
        return max((name for name in self.allowed if covers(name, folder)), key=len, default=None)

    def may_include(self, user, used):
        """Whether files in folder `user` may include files in folder `used`."""
        rule = self.rule_of(user)
        return rule is not None and any(covers(n, used) for n in self.allowed[rule] + [rule])

    def _packages(self, folder):
        """`folder` as a package specification: with what lies under it, unless that has lines."""
        above_others = any(other != folder and covers(folder, other) for other in self.allowed)
        return f"//{folder}" if above_others else f"//{folder}/..."

    def package_groups(self):
        """The text of //BUILD's package groups: for each folder, who may depend on it."""
        blocks = [GROUPS_BEGIN]
        for used in sorted(self.allowed):
            users = sorted(self._packages(u) for u in self.allowed if self.may_include(u, used))
            lines = "".join(f'        "{user}",\n' for user in users)
            name = "users_of_" + used.replace("/", "_")
            blocks.append(
                f'package_group(\n    name = "{name}",\n    packages = [\n{lines}    ],\n)')
        return "\n\n".join(blocks + [GROUPS_END]) + "\n"
