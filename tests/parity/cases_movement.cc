// What moves elements: Transpose, Concat, Split, Slice, Expand, Trilu, and the Gathers.
#include <cmath>

#include "base/check.h"
#include "kernels/api/op_signature.h"
#include "kernels/api/testing.h"
#include "tests/parity/case_tools.h"

namespace rm::tests {
namespace {

using base::RandomStream;
using kernels::Attributes;
using kernels::DType;
using kernels::ElementCount;
using kernels::Layout;
using kernels::Operand;
using kernels::OpInstance;
using kernels::Shape;
using kernels::TensorType;
using kernels::testing::Floats;

// Elements of 4, 8 and 1 bytes.
constexpr DType kDTypes[] = {DType::kFloat32, DType::kInt64, DType::kUInt8};

Operand Of(DType dtype, const Shape& shape) {
  return {TensorType{dtype, shape, Layout::kPlain}, true};
}

// 0, 1, 2, … modulo 251: neighbours differ, whatever the dtype.
Values Counted(const Shape& shape) {
  Values values(static_cast<size_t>(ElementCount(shape)));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 251);
  return values;
}

// One case a dtype of an operator whose outputs are as inferred.
void Add(std::vector<KernelCase>* cases, const std::string& op, const Attributes& attributes,
         const std::vector<Shape>& inputs, size_t outputs = 1) {
  for (const DType dtype : kDTypes) {
    OpInstance instance{op, attributes, {}, std::vector<Operand>(outputs)};
    std::vector<Values> values;
    for (const Shape& shape : inputs) {
      instance.inputs.push_back(Of(dtype, shape));
      values.push_back(Counted(shape));
    }
    const absl::Status status = InferOutputs(&instance);
    RM_CHECK(status.ok(), status.ToString());
    cases->push_back(Exact(instance, std::move(values)));
  }
}

std::vector<KernelCase> TransposeCases(RandomStream& /*random*/) {
  const struct {
    Shape x;
    Ints perm;
  } forms[] = {
      {{}, {}},
      {{0, 3}, {1, 0}},
      {{5}, {0}},
      {{1, 7}, {1, 0}},
      {{33, 17}, {1, 0}},
      {{64, 130}, {1, 0}},
      {{2, 33, 9}, {0, 2, 1}},
      {{2, 3, 4}, {2, 0, 1}},
      {{2, 3, 4}, {1, 2, 0}},
      {{2, 7, 4, 32}, {0, 2, 1, 3}},      // heads of attention
      {{2, 7, 4, 32}, {0, 2, 3, 1}},      // and its keys
      {{2, 5, 3, 4, 8}, {2, 0, 3, 1, 4}},  // query, key and value out of one product
      {{2, 3, 4, 5}, {3, 2, 1, 0}},
      {{2, 3, 4, 5}, {0, 1, 2, 3}},
      {{2, 5, 6, 3}, {0, 3, 1, 2}},
      {{2, 1, 3, 1, 2}, {4, 3, 2, 1, 0}},
      {{2, 3, 2, 2, 3, 4}, {0, 2, 4, 1, 3, 5}},
  };
  std::vector<KernelCase> cases;
  for (const auto& form : forms) Add(&cases, "Transpose", {{"perm", form.perm}}, {form.x});
  return cases;
}

std::vector<KernelCase> ConcatCases(RandomStream& /*random*/) {
  std::vector<KernelCase> cases;
  const auto concat = [&](int64_t axis, const std::vector<Shape>& shapes) {
    Add(&cases, "Concat", {{"axis", axis}}, shapes);
  };
  concat(0, {{3}});
  concat(0, {{3}, {0}, {5}});
  concat(0, {{2, 33}, {1, 33}});
  concat(1, {{4, 3, 5}, {4, 1, 5}, {4, 7, 5}});
  concat(2, {{4, 3, 5}, {4, 3, 16}});
  concat(1, {{2, 8, 3, 3}, {2, 5, 3, 3}});
  concat(3, {{2, 3, 4, 1}, {2, 3, 4, 1}});
  return cases;
}

std::vector<KernelCase> SplitCases(RandomStream& /*random*/) {
  std::vector<KernelCase> cases;
  const auto split = [&](int64_t axis, const Ints& sizes, const Shape& x) {
    Add(&cases, "Split", {{"axis", axis}, {"split", sizes}}, {x}, sizes.size());
  };
  split(0, {3}, {3});
  split(0, {2, 0, 3}, {5, 2});
  split(1, {1, 4, 2}, {4, 7, 5});
  split(2, {32, 32, 32}, {2, 5, 96});
  split(1, {3, 5}, {2, 8, 3, 3});
  return cases;
}

struct SliceForm {
  Shape x;
  Ints starts, ends, axes, steps;
};

const SliceForm kSlices[] = {
    {{5}, {}, {}, {}, {}},
    {{5}, {1}, {4}, {}, {}},
    {{5}, {2}, {2}, {}, {}},
    {{5}, {4}, {-1}, {0}, {-1}},
    {{9, 33}, {1, 2}, {8, 31}, {0, 1}, {3, 5}},
    {{9, 33}, {2}, {31}, {1}, {1}},
    {{4, 5, 6}, {1}, {4}, {1}, {1}},
    {{4, 5, 6}, {1, 5}, {3, -1}, {0, 2}, {1, -2}},
    {{2, 7, 96}, {32}, {64}, {2}, {1}},
    {{2, 3, 8, 9}, {1, 1}, {7, 8}, {2, 3}, {1, 1}},
};

Attributes SliceAttributes(const SliceForm& form) {
  Attributes attributes{{"starts", form.starts}, {"ends", form.ends}};
  if (!form.axes.empty()) attributes.Set("axes", form.axes);
  if (!form.steps.empty()) attributes.Set("steps", form.steps);
  return attributes;
}

std::vector<KernelCase> SliceCases(RandomStream& /*random*/) {
  std::vector<KernelCase> cases;
  for (const SliceForm& form : kSlices) {
    Add(&cases, "Slice", SliceAttributes(form), {form.x});
  }
  return cases;
}

// The gradients of what SliceCases take.
std::vector<KernelCase> SliceGradCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const KernelCase& slice : SliceCases(random)) {
    const OpInstance& op = slice.instance;
    if (op.inputs[0].type.dtype != DType::kFloat32) continue;
    const OpInstance grad{"SliceGrad", op.attributes, {op.outputs[0]}, {op.inputs[0]}};
    cases.push_back(Exact(grad, {Uniform(random, op.outputs[0].type.shape)}));
  }
  return cases;
}

std::vector<KernelCase> ExpandCases(RandomStream& /*random*/) {
  std::vector<KernelCase> cases;
  const auto expand = [&](const Shape& x, const Ints& shape) {
    Add(&cases, "Expand", {{"shape", shape}}, {x});
  };
  expand({}, {});
  expand({}, {7});
  expand({5}, {3, 5});
  expand({3, 1}, {3, 17});
  expand({3, 1, 4}, {2, 3, 5, 4});
  expand({2, 1, 3, 1}, {1, 5, 1, 6});
  expand({1}, {0});
  return cases;
}

std::vector<KernelCase> TriluCases(RandomStream& /*random*/) {
  std::vector<KernelCase> cases;
  for (const int64_t upper : {0, 1}) {
    for (const int64_t k : {-9, -1, 0, 2, 9}) {
      for (const Shape& x : {Shape{5, 5}, Shape{2, 3, 7}, Shape{2, 2, 6, 3}, Shape{0, 3}}) {
        Add(&cases, "Trilu", {{"upper", upper}, {"k", k}}, {x});
      }
    }
  }
  return cases;
}

// --- Gathers ---

struct GatherForm {
  const char* op;
  Attributes attributes;
  Shape x, indices;
  Ints sizes;  // of X's dimensions that are indexed, in turn
};

const GatherForm kGathers[] = {
    {"Gather", {}, {1}, {1}, {1}},
    {"Gather", {}, {65, 33}, {2, 40}, {65}},  // an embedding
    {"Gather", {}, {7, 128}, {}, {7}},
    {"Gather", {}, {7, 3}, {0}, {7}},
    {"Gather", {{"axis", int64_t{1}}}, {4, 9, 5}, {3}, {9}},
    {"Gather", {{"axis", int64_t{2}}}, {4, 3, 9}, {2, 2}, {9}},
    {"GatherElements", {}, {6, 5}, {4, 5}, {6}},
    {"GatherElements", {{"axis", int64_t{1}}}, {3, 6}, {3, 9}, {6}},
    {"GatherElements", {{"axis", int64_t{2}}}, {4, 3, 9}, {2, 3, 4}, {9}},
    {"GatherND", {}, {6, 5}, {7, 2}, {6, 5}},
    {"GatherND", {}, {6, 5, 4}, {2, 3, 1}, {6}},
    {"GatherND", {{"batch_dims", int64_t{1}}}, {3, 6, 5}, {3, 4, 2}, {6, 5}},
    {"GatherND", {{"batch_dims", int64_t{1}}}, {3, 6, 5}, {3, 1}, {6}},
};

// Indices that count from the front and from the back.
Values Indices(RandomStream& random, const GatherForm& form) {
  Values values(static_cast<size_t>(ElementCount(form.indices)));
  for (size_t i = 0; i < values.size(); ++i) {
    const int64_t size = form.sizes[i % form.sizes.size()];
    const uint64_t index = random.NextBelow(static_cast<uint64_t>(2 * size));
    values[i] = static_cast<float>(static_cast<int64_t>(index) - size);
  }
  return values;
}

std::vector<KernelCase> GatherCases(RandomStream& random, const std::string& op) {
  std::vector<KernelCase> cases;
  for (const GatherForm& form : kGathers) {
    if (op != form.op) continue;
    for (const DType dtype : kDTypes) {
      for (const DType index : {DType::kInt64, DType::kInt32}) {
        OpInstance instance{
            op, form.attributes, {Of(dtype, form.x), Of(index, form.indices)}, {Operand()}};
        const absl::Status status = InferOutputs(&instance);
        RM_CHECK(status.ok(), status.ToString());
        cases.push_back(Exact(instance, {Counted(form.x), Indices(random, form)}));
      }
    }
  }
  return cases;
}

// To the bit: the sums have an order.
std::vector<KernelCase> GatherGradCases(RandomStream& random, const std::string& op) {
  std::vector<KernelCase> cases;
  for (const KernelCase& forward : GatherCases(random, op)) {
    const OpInstance& taken = forward.instance;
    if (taken.inputs[0].type.dtype != DType::kFloat32) continue;
    const OpInstance grad{
        op + "Grad", taken.attributes, {taken.outputs[0], taken.inputs[1]}, {taken.inputs[0]}};
    cases.push_back(
        Exact(grad, {Uniform(random, taken.outputs[0].type.shape), forward.inputs[1]}));
  }
  return cases;
}

using Random = RandomStream;

const Generator kGenerators[] = {
    {"Concat", &ConcatCases},
    {"Expand", &ExpandCases},
    {"Gather", [](Random& r) { return GatherCases(r, "Gather"); }},
    {"GatherElements", [](Random& r) { return GatherCases(r, "GatherElements"); }},
    {"GatherElementsGrad", [](Random& r) { return GatherGradCases(r, "GatherElements"); }},
    {"GatherGrad", [](Random& r) { return GatherGradCases(r, "Gather"); }},
    {"GatherND", [](Random& r) { return GatherCases(r, "GatherND"); }},
    {"GatherNDGrad", [](Random& r) { return GatherGradCases(r, "GatherND"); }},
    {"Slice", &SliceCases},
    {"SliceGrad", &SliceGradCases},
    {"Split", &SplitCases},
    {"Transpose", &TransposeCases},
    {"Trilu", &TriluCases},
};

}  // namespace

Generators MovementGenerators() { return kGenerators; }

}  // namespace rm::tests
