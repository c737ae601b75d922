// Operators that only move elements, by way of reshapes, transposes, gathers and products.
//
//   DepthToSpace  (N, 4·C, H, W) → (N, 2, 2, C, H, W) → (N, C, H, 2, W, 2) → (N, C, 2·H, 2·W)
//   CumSum        X · triangle of ones
//   OneHot        Where(indices = 0 … depth − 1, on, off)
//
// What comes back through them in training goes the same way in reverse, by the gradients of these.
#include <string>

#include "base/status.h"
#include "kernels/api/shapes.h"
#include "runtime/graph/bind/axes.h"
#include "runtime/graph/bind/binders.h"

namespace rm::graph {
namespace {

using kernels::DType;
using kernels::Misfit;

using Ints = std::vector<int64_t>;

// Running sums of more elements than this would need a matrix of 64 MiB.
constexpr int64_t kSumMax = 4096;

// X as `apart`, its dimensions in the order `perm`, as `joined`.
absl::Status BecomeRearranged(BindContext* context, const Ints& apart, const Ints& perm,
                              const Ints& joined) {
  RM_ASSIGN_OR_RETURN(const ValueId split, context->Reshaped(context->input(0), apart, "/apart"));
  RM_ASSIGN_OR_RETURN(const ValueId moved,
                      context->Append("Transpose", {split}, {{"perm", perm}}, "/moved"));
  RM_ASSIGN_OR_RETURN(const ValueId output, context->Reshaped(moved, joined));
  context->SetOutput(0, output);
  return absl::OkStatus();
}

// The images' shape and the attribute blocksize, a sensible one.
absl::StatusOr<int64_t> BlockSize(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  const size_t rank = context->shape(context->input(0)).size();
  if (rank != 4) return Misfit("X has ", rank, " dimensions, it needs 4");
  const int64_t block = context->node().attributes.Int("blocksize", 0);
  if (block < 1 || block > (1 << 15)) return Misfit("attribute blocksize is ", block);
  return block;
}

}  // namespace

// (N, b·b·C, H, W) → (N, C, b·H, b·W): in mode DCR the block is the outer part of the channels, in
// CRD the inner one, as PyTorch's pixel_shuffle has it.
absl::Status BindDepthToSpace(BindContext* context) {
  RM_ASSIGN_OR_RETURN(const int64_t b, BlockSize(context));
  const Ints x = context->shape(context->input(0));
  const int64_t c = x[1] / (b * b);
  if (c * b * b != x[1]) return Misfit(x[1], " channels do not divide into blocks of ", b);
  const std::string mode = context->node().attributes.String("mode", "DCR");
  const Ints joined = {x[0], c, b * x[2], b * x[3]};
  if (mode == "DCR") {
    return BecomeRearranged(context, {x[0], b, b, c, x[2], x[3]}, {0, 3, 4, 1, 5, 2}, joined);
  }
  if (mode == "CRD") {
    return BecomeRearranged(context, {x[0], c, b, b, x[2], x[3]}, {0, 1, 4, 2, 5, 3}, joined);
  }
  return Misfit("attribute mode is '", mode, "'; DCR and CRD are known");
}

// (N, C, b·H, b·W) → (N, b·b·C, H, W)
absl::Status BindSpaceToDepth(BindContext* context) {
  RM_ASSIGN_OR_RETURN(const int64_t b, BlockSize(context));
  const Ints x = context->shape(context->input(0));
  if (x[2] % b != 0 || x[3] % b != 0) {
    return Misfit("images of ", x[2], " by ", x[3], " do not divide into blocks of ", b);
  }
  const int64_t h = x[2] / b;
  const int64_t w = x[3] / b;
  return BecomeRearranged(context, {x[0], x[1], h, b, w, b}, {0, 3, 5, 1, 2, 4},
                          {x[0], b * b * x[1], h, w});
}

// A running sum is a product with a triangle of ones. Integers (positions, mostly) go by way of
// float32, which holds their sums exactly below 2²⁴.
absl::Status BindCumSum(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(2));
  ValueId x = context->input(0);
  const kernels::TensorType type = context->type(x);
  const auto rank = static_cast<int64_t>(type.shape.size());
  RM_ASSIGN_OR_RETURN(const double given, context->Number(1, "axis"));
  RM_ASSIGN_OR_RETURN(const int64_t axis,
                      kernels::NormalizeAxis(static_cast<int64_t>(given), type.shape.size()));
  const int64_t n = context->shape(x)[static_cast<size_t>(axis)];
  if (n > kSumMax) return Misfit("it sums ", n, " elements; up to ", kSumMax, " are known");
  RM_RETURN_IF_ERROR(context->CheckRoom(4 * n * n));
  const kernels::Attributes& attributes = context->node().attributes;
  const bool reverse = attributes.Int("reverse", 0) != 0;
  const int64_t gap = attributes.Int("exclusive", 0) != 0 ? 1 : 0;
  std::vector<float> ones(static_cast<size_t>(n * n));  // (from, to)
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      if (reverse ? i >= j + gap : i + gap <= j) ones[static_cast<size_t>(i * n + j)] = 1;
    }
  }
  const ValueId triangle =
      context->Constant("/triangle", DType::kFloat32, {n, n}, Initializer::Of(std::move(ones)));
  // The axis is exchanged with the last one: the same exchange brings it back.
  Ints perm;
  for (int64_t i = 0; i < rank; ++i) perm.push_back(i);
  std::swap(perm[static_cast<size_t>(axis)], perm.back());
  const auto turned = [&](ValueId value, const char* suffix) -> absl::StatusOr<ValueId> {
    if (axis == rank - 1) return value;
    return context->Append("Transpose", {value}, {{"perm", perm}}, suffix);
  };
  const std::string dtype = kernels::DTypeName(type.dtype);
  if (dtype != "float32") {
    RM_ASSIGN_OR_RETURN(x, context->Append("Cast", {x}, {{"to", std::string("float32")}}, "/from"));
  }
  RM_ASSIGN_OR_RETURN(x, turned(x, "/turned"));
  if (rank == 1) {
    RM_ASSIGN_OR_RETURN(x, context->Reshaped(x, {1, n}, "/row"));
  }
  RM_ASSIGN_OR_RETURN(x, context->Append("MatMul", {x, triangle}, {}, "/sums"));
  if (rank == 1) {
    RM_ASSIGN_OR_RETURN(x, context->Reshaped(x, {n}, "/flat"));
  }
  RM_ASSIGN_OR_RETURN(x, turned(x, "/back"));
  if (dtype != "float32") {
    RM_ASSIGN_OR_RETURN(x, context->Append("Cast", {x}, {{"to", dtype}}, "/to"));
  }
  context->SetOutput(0, x);
  return absl::OkStatus();
}

// One more dimension, in which each index has the second of `values` at its place and the first
// everywhere else. Negative indices count from the end; those out of range are nowhere.
absl::Status BindOneHot(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(3));
  RM_ASSIGN_OR_RETURN(const double given, context->Number(1, "depth"));
  if (!(given >= 1 && given <= static_cast<double>(int64_t{1} << 31))) {
    return Misfit("its input 'depth' is ", given);
  }
  const auto depth = static_cast<int64_t>(given);
  RM_RETURN_IF_ERROR(context->CheckRoom(16 * depth));
  ValueId indices = context->input(0);
  Ints shape = context->shape(indices);
  RM_ASSIGN_OR_RETURN(const int64_t axis,
                      AxisAttribute(context->node().attributes, -1, shape.size() + 1));
  shape.insert(shape.begin() + axis, 1);
  if (context->type(indices).dtype != DType::kInt64) {
    RM_ASSIGN_OR_RETURN(indices, context->Append("Cast", {indices},
                                                 {{"to", std::string("int64")}}, "/whole"));
  }
  RM_ASSIGN_OR_RETURN(indices, context->Reshaped(indices, shape, "/wide"));
  Ints wide(shape.size(), 1);
  wide[static_cast<size_t>(axis)] = depth;
  // An index counts from either end: it is compared with both names of each place.
  Ints from_front;
  Ints from_end;
  for (int64_t i = 0; i < depth; ++i) {
    from_front.push_back(i);
    from_end.push_back(i - depth);
  }
  const ValueId places = context->Constant("/places", DType::kInt64, wide,
                                           Initializer::OfIntegers(std::move(from_front)));
  const ValueId negative = context->Constant("/negative", DType::kInt64, wide,
                                             Initializer::OfIntegers(std::move(from_end)));
  RM_ASSIGN_OR_RETURN(const ValueId here, context->Append("Equal", {indices, places}, {}, "/here"));
  RM_ASSIGN_OR_RETURN(const ValueId there,
                      context->Append("Equal", {indices, negative}, {}, "/there"));
  RM_ASSIGN_OR_RETURN(const ValueId hot, context->Append("Or", {here, there}, {}, "/hot"));
  const auto value = [&](int64_t i, const char* suffix) {
    return context->Append("Slice", {context->input(2)},
                           {{"axes", Ints{0}}, {"starts", Ints{i}}, {"ends", Ints{i + 1}},
                            {"steps", Ints{1}}},
                           suffix);
  };
  RM_ASSIGN_OR_RETURN(const ValueId off, value(0, "/off"));
  RM_ASSIGN_OR_RETURN(const ValueId on, value(1, "/on"));
  return context->Become("Where", {hot, on, off});
}

}  // namespace rm::graph
