"""Pickles made by hand: what a file could do, if it were let."""

import pickle
import tracemalloc

import pytest

from pyg_vision.data.readers import SkeletonFileError, open_pyskl


def write(folder, content):
    path = folder / "ntu60.pkl"
    path.write_bytes(content)
    return path


def proto(body, version=4):
    return b"\x80" + bytes([version]) + body + b"."


def text(value):
    return b"\x8c" + bytes([len(value)]) + value.encode()


def named(module, name):
    return text(module) + text(name) + b"\x93"


DTYPE = named("numpy", "dtype")
ARRAY = named("numpy._core.multiarray", "_reconstruct")
FLOAT = DTYPE + text("f4") + b"\x85R"
RAW = {
    "empty": b"",
    "text": b"<html>404 Not Found</html>",
    "protocol 0": pickle.dumps([], protocol=0),
    "protocol 9": proto(b"]", 9),
    "no stop": pickle.dumps([])[:-1],
    "nothing on the stack": proto(b""),
    "a mark": proto(b"("),
    "an unknown operation": proto(b"\xff"),
    "an empty memo": proto(b"h\x05"),
    "a persistent ID": proto(b"]Q"),
    "a persistent name": proto(b"Pabc\n"),
    "an extension": proto(b"\x82\x01"),
    "an old instance": proto(b"(ios\nsystem\n"),
    "an old object": proto(b"(" + named("builtins", "list") + b"o"),
    "a new object": proto(named("builtins", "list") + b")\x81"),
    "a new object of keywords": proto(named("builtins", "list") + b")}\x92"),
    "a buffer from elsewhere": proto(b"\x97", 5),
    "a global of protocol 2": proto(b"cos\nsystem\n", 2),
    "a builtin of Python 2": proto(b"c__builtin__\neval\n", 2),
    "a dotted name": proto(named("numpy", "f2py.os.system")),
    "a dotted builtin": proto(named("builtins", "list.__class__")),
    "a name of numbers": proto(b"K\x01K\x02\x93"),
    "a call of a list": proto(b"])R"),
    "a call of a text": proto(text("a") + b")R"),
    "a call without arguments": proto(named("builtins", "list") + b"K\x01R"),
    "an array without data": proto(named("numpy", "ndarray") + b"M\x00\x01\x85R"),
    "a state for a list": proto(b"]}b"),
    "a state for a function": proto(named("builtins", "list") + b"}" + text("a") + b"K\x01sb"),
    "a state for a class": proto(named("collections", "OrderedDict") + b"N}\x86b"),
    "attributes of an array": proto(ARRAY + b")R" + b"N}" + text("a") + b"K\x01s\x86b"),
    "an item of a text": proto(text("a") + b"K\x01a"),
    "an item of a number": proto(b"K\x01K\x02K\x03s"),
    "items of an array": proto(FLOAT + b"(K\x01K\x02u"),
    "half an item": proto(b"}(K\x01u"),
    "a list as a key": proto(b"}]K\x01s"),
    "many bytes": proto(named("builtins", "bytes") + b"\x8a\x06" + b"\xff" * 5 + b"\x00\x85R"),
    "a large byte array": proto(named("builtins", "bytearray") + b"J\xff\xff\xff\x7f\x85R"),
    "a huge byte array": proto(b"\x96" + (2**40).to_bytes(8, "little"), 5),
    "a huger byte array": proto(b"\x96" + b"\xff" * 8, 5),
    "a huge text": proto(b"\x8d" + (2**62).to_bytes(8, "little")),
    "a huge frame": proto(b"\x95" + (2**62).to_bytes(8, "little")),
    "a text that is none": proto(b"\x8c\x01\xff"),
    "a code for bytes": proto(named("_codecs", "encode") + text("a") + text("bz2") + b"\x86R"),
    "objects": proto(DTYPE + text("O8") + b"\x85R"),
    "objects by a word": proto(DTYPE + text("object") + b"\x85R"),
    "strings without length": proto(DTYPE + text("U0") + b"\x85R"),
    "long strings": proto(DTYPE + text("U99999999") + b"\x85R"),
    "a type of another order": proto(FLOAT + b"(K\x03" + text("?") + b"NNNtb"),
    "a type of fields": proto(FLOAT + b"(K\x03" + text("<") + b"NN}tb"),
    "a type without state": proto(FLOAT + b"Nb"),
    "an array of no type": proto(ARRAY + b")R(K\x01K\x01\x85NKCC\x00tb"),
    "a shape of text": proto(ARRAY + b")R(K\x01" + text("a") + FLOAT + b"\x89C\x00tb"),
    "a shape of texts": proto(ARRAY + b")R(K\x01" + text("a") + b"\x85" + FLOAT + b"\x89C\x00tb"),
    "a negative shape": proto(ARRAY + b")R(K\x01J\xff\xff\xff\xff\x85" + FLOAT + b"\x89C\x00tb"),
    "a huge shape": proto(ARRAY + b")R(K\x01J\xff\xff\xff\x7f\x85" + FLOAT + b"\x89C\x00tb"),
    "no data": proto(ARRAY + b")R(K\x01K\x02\x85" + FLOAT + b"\x89Ntb"),
    "data of objects": proto(ARRAY + b")R(K\x01K\x02\x85" + FLOAT + b"\x89]tb"),
    "too few data": proto(ARRAY + b")R(K\x01K\x02\x85" + FLOAT + b"\x89C\x04\0\0\0\0tb"),
}


@pytest.mark.parametrize("name", RAW)
def test_hand_made_pickles_are_refused(tmp_path, name):
    path = write(tmp_path, RAW[name])
    with pytest.raises(SkeletonFileError, match="is no pickle of plain containers") as info:
        open_pyskl(path)
    assert str(info.value).startswith(f"'{path}'")


def test_hand_made_pickles_are_what_they_seem(tmp_path):
    """The pieces that the pickles above are made of do make an array."""
    good = ARRAY + b")R(K\x01K\x02\x85" + FLOAT + b"\x89C\x08\0\0\x80?\0\0\0@tb"
    record = pickle.loads(
        proto(good.replace(b")R(", named("numpy", "ndarray") + b"K\0\x85C\1b\x87R("))
    )
    assert record.tolist() == [1, 2]
    with pytest.raises(SkeletonFileError, match=r"must hold a dict .* \(got ndarray\)"):
        open_pyskl(write(tmp_path, proto(good)))


def test_a_large_index_of_the_memo_takes_no_memory(tmp_path):
    """The unpickler in C takes 16 bytes for each index up to it."""
    path = write(tmp_path, proto(b"]r" + (2**26).to_bytes(4, "little")))
    tracemalloc.start()
    with pytest.raises(SkeletonFileError, match="holds no annotations"):
        open_pyskl(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10**6


SHELL = ARRAY + b")R(K\x01M\xa0\x0f\x85" + FLOAT + b"\x89"


@pytest.mark.parametrize("kind", ["bytes", "an array of text", "containers"])
def test_many_copies_of_what_is_long_take_no_memory(tmp_path, kind):
    """Each item is a few bytes of the file and 16,000 of memory."""
    long = b"X" + (16_000).to_bytes(4, "little") + b"a" * 16_000
    head, call = {
        "bytes": (b"B" + long[1:] + b"\x94", named("builtins", "bytearray") + b"h\0\x85R"),
        "an array of text": (long + b"\x94", SHELL + b"h\0tb"),
        "containers": (b"](" + b"N" * 16_000 + b"e\x94", named("builtins", "list") + b"h\0\x85R"),
    }[kind]
    assert len(call) < 130
    path = write(tmp_path, proto(head + b"](" + call * 3_000 + b"e"))
    tracemalloc.start()
    with pytest.raises(SkeletonFileError, match="it copies more than it holds"):
        open_pyskl(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50 * path.stat().st_size


@pytest.mark.parametrize("where", ["list", "key", "set", "frozen set", "value"])
def test_deep_nesting_does_not_end_the_process(tmp_path, where):
    """Hashing a tuple of so many levels overruns the stack of the interpreter."""
    deep = b")" + b"\x85" * 300_000
    body = {
        "list": b"]" + deep + b"a",
        "key": b"}" + deep + b"K\x01s",
        "set": b"\x8f(" + deep + b"\x90",
        "frozen set": b"(" + deep + b"\x91",
        "value": b"}" + text("annotations") + deep + b"s",
    }[where]
    with pytest.raises(SkeletonFileError):
        open_pyskl(write(tmp_path, proto(body)))
