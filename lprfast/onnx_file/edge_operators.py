"""Operators that small neural processors (NPUs) take: the one place where the list stands.

An operator is on it when at least two of three vendors' published lists have it:

* Rockchip RKNN-Toolkit2 1.4.0, doc/RKNNToolKit2_OP_Support-1.4.0.md in rockchip-linux/rknn-toolkit2
* Kneron KL730, docs/toolchain/appendix/operators.md in kneron/document_center
* FuriosaAI SDK 0.9, https://developer.furiosa.ai/docs/v0.9.0/ (Supported operators)

A list says nothing of limits on kernels, strides and sizes: the vendor's compiler has the last word.
"""

from __future__ import annotations

_TAKEN = """
Add AveragePool BatchNormalization Clip Concat Conv ConvTranspose DepthToSpace Div Elu Erf Exp Expand Flatten
Gather Gemm GlobalAveragePool GlobalMaxPool HardSigmoid InstanceNormalization LeakyRelu Log LpNormalization
MatMul Max MaxPool Mul PRelu Pad Pow ReduceMax ReduceMean ReduceMin ReduceSum Relu Reshape Resize Sigmoid
Slice Softmax Softplus SpaceToDepth Split Sqrt Sub Tanh Transpose
"""

# Gone after compiling: constants, names, and what only says how numbers are stored.
_FOLDED = "Constant Dropout Identity Squeeze Unsqueeze QuantizeLinear DequantizeLinear"

EDGE_OPERATORS = frozenset([*_TAKEN.split(), *_FOLDED.split()])

EDGE_NOTES = {
    "Clip": "Kneron: from 0 up only",
    "ConvTranspose": "Rockchip: stride 2, 4 or 8",
    "DepthToSpace": "Kneron: block size 2 or 4, so a step of 8 is two",
    "GRU": "Rockchip alone, batch 1",
    "GridSample": "none of the three",
    "LSTM": "Rockchip alone, batch 1",
    "LogSoftmax": "Rockchip alone; can be left to the host",
    "PRelu": "not FuriosaAI; LeakyRelu is on all three lists",
    "Resize": "no cubic on Kneron; up to 8 times on Rockchip",
    "Softmax": "can be left to the host",
}
"""What to know of an operator beyond whether it is taken; from the same lists."""

# What static 8-bit quantising, as training/qdq.py does it, asks ONNX Runtime's quantiser for (``QUANTISED``),
# and what then lies between DequantizeLinear and QuantizeLinear because its neighbours do. Mul, Sigmoid and
# Softmax are left in floating point.
_INT8 = "Add Conv ConvTranspose Gemm MatMul Relu"
_BETWEEN = """
AveragePool Clip Concat DepthToSpace Flatten Gather GlobalAveragePool LeakyRelu MaxPool Pad Reshape Resize
Slice Split Squeeze Transpose Unsqueeze
"""
INT8_OPERATORS = frozenset([*_INT8.split(), *_BETWEEN.split()])
