#include "runtime/graph/bind/binders.h"

namespace rm::graph {
namespace {

// To add an operator that ONNX has and kernels do not: write its binder in the file of its family, and
// one line here. To add one whose ONNX form is canonical: nothing, its signature is enough.
//
// op in the model, operator left behind, binder.
constexpr BinderEntry kTable[] = {
    {"AveragePool", "AveragePool", &BindPool},
    {"BatchNormalization", "BatchNormalization", &BindBatchNormalization},
    {"Cast", "Cast", &BindCast},
    {"CastLike", "Cast", &BindCastLike},
    {"Clip", "Clip", &BindClip},
    {"Concat", "Concat", &BindConcat},
    {"Conv", "Conv", &BindConv},
    {"Dropout", nullptr, &BindDropout},
    {"Expand", "Expand", &BindExpand},
    {"Gather", "Gather", &BindGather},
    {"GatherElements", "GatherElements", &BindGather},
    {"GlobalAveragePool", "GlobalAveragePool", &BindGlobalAveragePool},
    {"GlobalMaxPool", "ReduceMax", &BindGlobalMaxPool},
    {"Identity", nullptr, &BindIdentity},
    {"LSTM", "LSTM", &BindLstm},
    {"LayerNormalization", "LayerNormalization", &BindLayerNormalization},
    {"LogSoftmax", "LogSoftmax", &BindSoftmax},
    {"MatMul", "MatMul", &BindMatMul},
    {"MaxPool", "MaxPool", &BindPool},
    {"Neg", "Neg", &BindNeg},
    {"Pad", "Concat", &BindPad},
    {"Pow", "Pow", &BindPow},
    {"Range", nullptr, &BindRange},
    {"ReduceMax", "ReduceMax", &BindReduce},
    {"ReduceMean", "ReduceMean", &BindReduce},
    {"ReduceMin", "ReduceMin", &BindReduce},
    {"ReduceProd", "ReduceProd", &BindReduce},
    {"ReduceSum", "ReduceSum", &BindReduce},
    {"Reshape", "Reshape", &BindReshape},
    {"SequenceAt", nullptr, &BindSequenceAt},
    {"Shape", nullptr, &BindShape},
    {"Size", nullptr, &BindSize},
    {"Slice", "Slice", &BindSlice},
    {"Softmax", "Softmax", &BindSoftmax},
    {"Split", "Split", &BindSplit},
    {"SplitToSequence", "Split", &BindSplitToSequence},
    {"Squeeze", "Reshape", &BindSqueeze},
    {"Sum", "Add", &BindSum},
    {"Tile", "Expand", &BindTile},
    {"Transpose", "Transpose", &BindTranspose},
    {"Trilu", "Trilu", &BindTrilu},
    {"Unsqueeze", "Reshape", &BindUnsqueeze},
};

}  // namespace

absl::Span<const BinderEntry> BinderTable() { return kTable; }

}  // namespace rm::graph
