"""Makes checkpoint.pth and scores.npy in the layouts of torch.save and numpy.save, without either."""
import collections, io, pickle, struct, sys, types, zipfile

torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
class FloatStorage: pass
FloatStorage.__module__ = "torch"
FloatStorage.__qualname__ = "FloatStorage"
def _rebuild_tensor_v2(*a): pass
_rebuild_tensor_v2.__module__ = "torch._utils"
torch.FloatStorage, torch._utils, utils._rebuild_tensor_v2 = FloatStorage, utils, _rebuild_tensor_v2
sys.modules.update({"torch": torch, "torch._utils": utils})

class Storage:
    def __init__(self, key, count): self.key, self.count = key, count
class Tensor:
    def __init__(self, key, shape): self.key, self.shape = key, shape
    def __reduce__(self):
        count, strides = 1, []
        for side in reversed(self.shape):
            strides.insert(0, count)
            count *= side
        return _rebuild_tensor_v2, (Storage(self.key, count), 0, self.shape, tuple(strides), False, collections.OrderedDict())
class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if isinstance(value, Storage):
            return ("storage", FloatStorage, value.key, "cpu", value.count)

shapes = {"encoder.weight": (2, 3), "encoder.bias": (2,), "decoder.weight": (3, 2)}
state = collections.OrderedDict((name, Tensor(str(key), shape)) for key, (name, shape) in enumerate(shapes.items()))
text = io.BytesIO()
Pickler(text, 2).dump({"epoch": 3, "model_state_dict": state, "hyperparameters": {"lr": 1e-4, "names": ["a", "b"]}})
when = (1980, 1, 1, 0, 0, 0)
with zipfile.ZipFile("checkpoint.pth", "w") as archive:
    archive.writestr(zipfile.ZipInfo("archive/data.pkl", when), text.getvalue())
    archive.writestr(zipfile.ZipInfo("archive/byteorder", when), "little")
    for key in range(3):
        archive.writestr(zipfile.ZipInfo(f"archive/data/{key}", when), struct.pack("<6f", *range(6)))
    archive.writestr(zipfile.ZipInfo("archive/version", when), "3\n")
header = "{'descr': '<f8', 'fortran_order': False, 'shape': (4,), }"
with open("scores.npy", "wb") as file:
    file.write(b"\x93NUMPY\x01\x00\x76\x00" + f"{header:<117}\n".encode() + struct.pack("<4d", 0.5, 1, 2, 3))
