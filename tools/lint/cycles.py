"""Cycles of a directed graph."""


def cycles(edges):
    """The groups of two or more nodes that reach each other; `edges` are (from, to) pairs.

    Tarjan's algorithm with a stack of its own, for include chains deeper than Python's.
    """
    after = {}
    for user, used in edges:
        after.setdefault(user, set()).add(used)
        after.setdefault(used, set())
    order, low, open_nodes, groups = {}, {}, [], []

    def enter(node):
        order[node] = low[node] = len(order)
        open_nodes.append(node)
        return node, iter(sorted(after[node]))

    def leave(node):
        if low[node] != order[node]:
            return
        start = open_nodes.index(node)
        group = set(open_nodes[start:])
        del open_nodes[start:]
        if len(group) > 1:
            groups.append(group)

    for root in sorted(after):
        path = [] if root in order else [enter(root)]
        while path:
            node, rest = path[-1]
            following = next(rest, None)
            if following is None:
                path.pop()
                leave(node)
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
            elif following not in order:
                path.append(enter(following))
            elif following in open_nodes:
                low[node] = min(low[node], order[following])
    return groups
