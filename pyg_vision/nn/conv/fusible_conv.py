r"""When a convolution may keep its messages implicit."""

from typing import Any

from torch_geometric.nn import MessagePassing


class FusibleConv(MessagePassing):
    r"""A :class:`~torch_geometric.nn.conv.MessagePassing` layer with a fast path.

    A subclass computes its result by :meth:`propagate`, the specification, unless
    :attr:`fusible` says that nobody looks at its messages.

    Args:
        **kwargs (optional): Arguments of :class:`torch_geometric.nn.conv.MessagePassing`.
    """

    fused_aggr: tuple[str, ...] = ()
    _overridden = False

    def __init__(self, **kwargs: Any) -> None:
        if not isinstance(kwargs.get("aggr"), str):
            raise ValueError(
                f"{type(self).__name__} takes one aggregation by name (got {kwargs.get('aggr')!r})"
            )
        if kwargs.get("node_dim", -2) != -2:
            raise ValueError(
                f"{type(self).__name__} has its nodes in the dimension before last, node_dim=-2 "
                f"(got {kwargs['node_dim']})"
            )
        if kwargs.get("decomposed_layers", 1) != 1:
            raise ValueError(f"{type(self).__name__} cannot be decomposed into layers")
        super().__init__(**kwargs)

    @property
    def fusible(self) -> bool:
        r"""Whether messages may stay implicit, since no explainer, hook or setting needs them."""
        hooks = (
            self._propagate_forward_pre_hooks,
            self._propagate_forward_hooks,
            self._message_forward_pre_hooks,
            self._message_forward_hooks,
            self._aggregate_forward_pre_hooks,
            self._aggregate_forward_hooks,
            self._message_and_aggregate_forward_pre_hooks,
            self._message_and_aggregate_forward_hooks,
        )
        return (
            not self.explain
            and self.flow == "source_to_target"
            and not self._overridden
            and self.aggr in self.fused_aggr
            and not any(hooks)
        )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # A user's subclass of one of our layers means its own messages to be used.
        mine = {"message", "aggregate", "update", "message_and_aggregate"} & set(vars(cls))
        ours = cls.__module__.startswith("pyg_vision.")
        cls._overridden = cls._overridden or bool(mine and not ours)
