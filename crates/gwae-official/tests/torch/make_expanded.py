"""Writes expanded.pth: a state_dict of one value that strides of 0 expand to 2 GB, in torch.save's layout.

negative_bit.pth beside it was written by torch.save of PyTorch 2: a small model whose tensors have the negative bit.
"""
import collections, io, pickle, struct, sys, types, zipfile

torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")


class FloatStorage:
    pass


def _rebuild_tensor_v2(*arguments):
    pass


FloatStorage.__module__, FloatStorage.__qualname__ = "torch", "FloatStorage"
_rebuild_tensor_v2.__module__ = "torch._utils"
torch.FloatStorage, torch._utils, utils._rebuild_tensor_v2 = FloatStorage, utils, _rebuild_tensor_v2
sys.modules.update({"torch": torch, "torch._utils": utils})
STORAGE = object()


class Expanded:
    def __reduce__(self):
        return _rebuild_tensor_v2, (STORAGE, 0, (500, 1000, 1000), (0, 0, 0), False, collections.OrderedDict())


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if value is STORAGE:
            return ("storage", FloatStorage, "0", "cpu", 1)


state = collections.OrderedDict([("enc_block.net.1.weight", Expanded())])
text = io.BytesIO()
Pickler(text, 2).dump(state)
when = (1980, 1, 1, 0, 0, 0)
with zipfile.ZipFile("expanded.pth", "w") as archive:
    archive.writestr(zipfile.ZipInfo("archive/data.pkl", when), text.getvalue())
    archive.writestr(zipfile.ZipInfo("archive/byteorder", when), "little")
    archive.writestr(zipfile.ZipInfo("archive/data/0", when), struct.pack("<f", 1.0))
    archive.writestr(zipfile.ZipInfo("archive/version", when), "3\n")
