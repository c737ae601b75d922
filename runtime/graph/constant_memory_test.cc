#include "runtime/graph/constant_memory.h"

#include <catch2/catch.hpp>
#include <cstring>

namespace rm::graph {
namespace {

using kernels::DType;

// The constant's elements as they lie in memory.
template <typename T>
std::vector<T> Written(const Value& constant) {
  std::vector<T> memory(ConstantBytes(constant) / sizeof(T), T{77});
  WriteConstant(constant, memory.data());
  return memory;
}

TEST_CASE("constants lie in memory in their own dtype", "[constant_memory]") {
  Graph graph;
  const ValueId f = graph.AddConstant("f", {2}, {0.5F, -2.0F});
  const ValueId i64 = graph.AddIntegerConstant("i64", DType::kInt64, {2, 1}, {-1, int64_t{1} << 40});
  const ValueId i32 = graph.AddIntegerConstant("i32", DType::kInt32, {2}, {-3, 1 << 30});
  const ValueId u8 = graph.AddIntegerConstant("u8", DType::kUInt8, {2}, {0, 255});
  const ValueId flag = graph.AddIntegerConstant("flag", DType::kBool, {3}, {1, 0, 1});

  CHECK(Written<float>(graph.value(f)) == std::vector<float>{0.5F, -2.0F});
  CHECK(Written<int64_t>(graph.value(i64)) == std::vector<int64_t>{-1, int64_t{1} << 40});
  CHECK(Written<int32_t>(graph.value(i32)) == std::vector<int32_t>{-3, 1 << 30});
  CHECK(Written<uint8_t>(graph.value(u8)) == std::vector<uint8_t>{0, 255});
  CHECK(Written<uint8_t>(graph.value(flag)) == std::vector<uint8_t>{1, 0, 1});
}

TEST_CASE("a scalar has one element and an empty constant none", "[constant_memory]") {
  Graph graph;
  const ValueId scalar = graph.AddIntegerConstant("scalar", DType::kInt64, {}, {5});
  const ValueId none = graph.AddConstant("none", {0, 4}, {});
  CHECK(Written<int64_t>(graph.value(scalar)) == std::vector<int64_t>{5});
  CHECK(ConstantBytes(graph.value(none)) == 0);
}

TEST_CASE("what is read back is what was written", "[constant_memory]") {
  Graph graph;
  for (const DType dtype : {DType::kInt64, DType::kInt32, DType::kUInt8, DType::kBool}) {
    CAPTURE(kernels::DTypeName(dtype));
    const ValueId id =
        graph.AddIntegerConstant(kernels::DTypeName(dtype), dtype, {2, 2}, {1, 0, 0, 1});
    const Value& constant = graph.value(id);
    std::vector<int64_t> memory(4);
    WriteConstant(constant, memory.data());
    const Initializer read = ReadConstant({dtype, constant.shape}, memory.data());
    CHECK(read.kind == Initializer::Kind::kValues);
    CHECK(read.values == nullptr);
    CHECK(*read.integers == std::vector<int64_t>{1, 0, 0, 1});
  }
  const float floats[] = {1.5F, -0.0F, 3.0F};
  const Initializer read = ReadConstant({DType::kFloat32, {3}}, floats);
  CHECK(read.integers == nullptr);
  CHECK(std::memcmp(read.values->data(), floats, sizeof(floats)) == 0);
}

}  // namespace
}  // namespace rm::graph
