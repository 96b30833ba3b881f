"""torch-free exchange format for conformance cases.
A case = one .npz: arrays 'a0','a1',... + 'spec' (a 0-d unicode array holding JSON):
{"inputs":[NODE...], "kwargs":{name:NODE}, "outputs":NODE, "method":"forward", "rtol":..,"atol":..}
NODE = {"k":"tensor","i":n,"dtype":"float32","stride":[..]}|{"k":"none"}|{"k":"bool|int|float|str","v":..}|
       {"k":"complex","re":..,"im":..}|{"k":"list|tuple","e":[..]}|{"k":"dict","e":[[k,v],..]}|{"k":"dtype|device|layout|memory_format","v":".."}
bfloat16 is stored as uint16 (dtype tag keeps 'bfloat16'); non-finite floats as strings 'inf','-inf','nan'."""

import json
import math

import numpy as np


def pack(obj, arrs):
    import torch

    if obj is None:
        return {"k": "none"}
    if isinstance(obj, torch.Tensor):
        t = obj.detach()
        if t.is_sparse or t.layout != torch.strided:
            raise TypeError("sparse layout")
        if t.is_quantized:
            raise TypeError("quantized tensor")
        if t.device.type != "cpu":
            raise TypeError("device")
        st = list(t.stride())
        t = t.resolve_conj().resolve_neg()
        if t.dtype == torch.bfloat16:
            a = t.contiguous().view(torch.int16).numpy().view(np.uint16)
        else:
            a = t.contiguous().numpy()
        arrs.append(np.array(a))
        return {"k": "tensor", "i": len(arrs) - 1, "dtype": str(t.dtype)[6:], "stride": st}
    if isinstance(obj, bool):
        return {"k": "bool", "v": obj}
    if isinstance(obj, int):
        return {"k": "int", "v": obj}
    if isinstance(obj, float):
        return {"k": "float", "v": obj if math.isfinite(obj) else repr(obj)}
    if isinstance(obj, complex):
        return {"k": "complex", "re": obj.real, "im": obj.imag}
    if isinstance(obj, str):
        return {"k": "str", "v": obj}
    if isinstance(obj, torch.dtype):
        return {"k": "dtype", "v": str(obj)[6:]}
    if isinstance(obj, torch.device):
        return {"k": "device", "v": str(obj)}
    if isinstance(obj, torch.layout):
        return {"k": "layout", "v": str(obj)}
    if isinstance(obj, torch.memory_format):
        return {"k": "memory_format", "v": str(obj)}
    if isinstance(obj, (list, torch.Size)) and not isinstance(obj, tuple):
        return {"k": "list", "e": [pack(x, arrs) for x in obj]}
    if isinstance(obj, tuple):
        return {"k": "tuple", "e": [pack(x, arrs) for x in obj]}
    if isinstance(obj, dict):
        return {"k": "dict", "e": [[pack(a, arrs), pack(b, arrs)] for a, b in obj.items()]}
    raise TypeError(type(obj).__name__)


def save_case(path, inputs, outputs, kwargs=None, method="forward", **extra):
    arrs = []
    spec = {
        "method": method,
        "inputs": [pack(x, arrs) for x in inputs],
        "kwargs": {k: pack(v, arrs) for k, v in (kwargs or {}).items()},
        "outputs": pack(outputs, arrs),
    }
    spec.update(extra)
    np.savez(path, spec=np.array(json.dumps(spec)), **{f"a{i}": a for i, a in enumerate(arrs)})
    return spec


def load_case(path):  # torch-free
    with np.load(path) as file:
        z = dict(file)
    spec = json.loads(str(z["spec"]))

    def un(n):
        k = n["k"]
        if k == "tensor":
            return z[f"a{n['i']}"]
        if k == "none":
            return None
        if k == "float":
            return float(n["v"])
        if k in ("bool", "int", "str", "dtype", "device", "layout", "memory_format"):
            return n["v"]
        if k == "complex":
            return complex(n["re"], n["im"])
        if k == "list":
            return [un(x) for x in n["e"]]
        if k == "tuple":
            return tuple(un(x) for x in n["e"])
        if k == "dict":
            return {un(a): un(b) for a, b in n["e"]}
        raise KeyError(k)

    return [un(x) for x in spec["inputs"]], {k: un(v) for k, v in spec["kwargs"].items()}, un(spec["outputs"]), spec
