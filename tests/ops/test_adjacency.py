import pytest
import torch
from torch_geometric.utils import to_torch_csc_tensor, to_torch_csr_tensor

from pyg_vision.ops import NeighborTable, knn
from pyg_vision.ops.adjacency import fit_table, in_range, to_csr, to_edge_index


def test_every_form_has_the_same_edges():
    table = knn(torch.randn(7, 3), 2)
    edge_index = table.edge_index
    forms = [
        table,
        edge_index,
        to_torch_csr_tensor(edge_index.flip(0), size=(7, 7)),
        to_torch_csc_tensor(edge_index.flip(0), size=(7, 7)),
    ]
    wanted = sorted(map(tuple, edge_index.t().tolist()))
    for form in forms:
        found = to_edge_index(form)
        assert sorted(map(tuple, found.t().tolist())) == wanted
        csr = to_csr(form, (7, 7), torch.device("cpu"))
        rows = [sorted(part.tolist()) for part in csr.col.tensor_split(csr.rowptr[1:-1])]
        assert rows == [sorted(j for j, i in wanted if i == node) for node in range(7)]


def test_a_table_fits_its_features():
    x = torch.randn(2, 5, 3)
    table = knn(x, 2)
    assert torch.equal(fit_table(table, x, x).index, table.index)
    flat = fit_table(table, x.flatten(0, 1), x.flatten(0, 1))
    assert torch.equal(flat.index[5:], table.index[1] + 5)
    with pytest.raises(ValueError, match="does not fit features"):
        fit_table(table, x[:, :4], x)
    with pytest.raises(ValueError, match="does not fit features"):
        fit_table(NeighborTable(table.index[:, :4], 5), x, x)


def test_what_is_out_of_range_is_named():
    index = torch.tensor([[0, 3]])
    assert torch.equal(in_range("index", index, 4), index)
    with pytest.raises(ValueError, match="'index' must point to one of 3 nodes"):
        in_range("index", index, 3)
