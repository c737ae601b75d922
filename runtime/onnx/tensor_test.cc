#include "runtime/onnx/tensor.h"

#include <catch2/catch.hpp>

#include "base/memory_file_system.h"

namespace rm::onnx {
namespace {

using kernels::DType;
using ringmaster::onnx::TensorProto;

TensorProto Proto(int type, const std::vector<int64_t>& shape, const std::string& raw = "") {
  TensorProto proto;
  proto.set_data_type(type);
  for (int64_t dimension : shape) proto.add_dims(dimension);
  proto.set_raw_data(raw);
  return proto;
}

Tensor Read(const TensorProto& proto) {
  const absl::StatusOr<Tensor> tensor = ReadTensor(proto, {});
  REQUIRE(tensor.status() == absl::OkStatus());
  return *tensor;
}

std::string Refusal(const TensorProto& proto) {
  return std::string(ReadTensor(proto, {}).status().message());
}

// The bytes of numbers as they lie in a file.
template <typename T>
std::string Bytes(const std::vector<T>& numbers) {
  return std::string(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T));
}

TEST_CASE("raw bytes are read in the type they say", "[onnx]") {
  const auto floats = [](int type, const std::string& raw) {
    const Tensor tensor = Read(Proto(type, {2}, raw));
    CHECK(tensor.dtype == DType::kFloat32);
    CHECK(tensor.shape == std::vector<int64_t>{2});
    return *tensor.content.values;
  };
  const std::vector<float> wanted = {1.5F, -2};
  CHECK(floats(TensorProto::FLOAT, Bytes<float>({1.5F, -2})) == wanted);
  CHECK(floats(TensorProto::DOUBLE, Bytes<double>({1.5, -2})) == wanted);
  CHECK(floats(TensorProto::FLOAT16, Bytes<uint16_t>({0x3E00, 0xC000})) == wanted);
  CHECK(floats(TensorProto::BFLOAT16, Bytes<uint16_t>({0x3FC0, 0xC000})) == wanted);

  const auto integers = [](int type, DType dtype, const std::string& raw) {
    const Tensor tensor = Read(Proto(type, {2}, raw));
    CHECK(tensor.dtype == dtype);
    return *tensor.content.integers;
  };
  using Ints = std::vector<int64_t>;
  CHECK(integers(TensorProto::INT64, DType::kInt64, Bytes<int64_t>({-1, int64_t{1} << 40})) ==
        Ints{-1, int64_t{1} << 40});
  CHECK(integers(TensorProto::INT32, DType::kInt32, Bytes<int32_t>({-1, 7})) == Ints{-1, 7});
  CHECK(integers(TensorProto::INT16, DType::kInt32, Bytes<int16_t>({-1, 7})) == Ints{-1, 7});
  CHECK(integers(TensorProto::INT8, DType::kInt32, Bytes<int8_t>({-1, 7})) == Ints{-1, 7});
  CHECK(integers(TensorProto::UINT16, DType::kInt32, Bytes<uint16_t>({65535, 7})) ==
        Ints{65535, 7});
  CHECK(integers(TensorProto::UINT8, DType::kUInt8, Bytes<uint8_t>({255, 7})) == Ints{255, 7});
  CHECK(integers(TensorProto::UINT32, DType::kInt64, Bytes<uint32_t>({0xFFFFFFFF, 7})) ==
        Ints{0xFFFFFFFF, 7});
  CHECK(integers(TensorProto::BOOL, DType::kBool, Bytes<uint8_t>({0, 9})) == Ints{0, 1});
}

TEST_CASE("lists of numbers are read in the type they say", "[onnx]") {
  TensorProto halves = Proto(TensorProto::FLOAT16, {2});
  halves.add_int32_data(0x3E00);
  halves.add_int32_data(0xC000);
  CHECK(*Read(halves).content.values == std::vector<float>{1.5F, -2});

  TensorProto doubles = Proto(TensorProto::DOUBLE, {});
  doubles.add_double_data(0.25);
  CHECK(*Read(doubles).content.values == std::vector<float>{0.25F});

  TensorProto flags = Proto(TensorProto::BOOL, {2});
  flags.add_int32_data(0);
  flags.add_int32_data(-3);
  CHECK(*Read(flags).content.integers == std::vector<int64_t>{0, 1});

  TensorProto bytes = Proto(TensorProto::UINT8, {1});
  bytes.add_int32_data(257);  // wider than its type: cut, so that a constant of ours can hold it
  CHECK(*Read(bytes).content.integers == std::vector<int64_t>{1});
}

TEST_CASE("a tensor without elements needs no data", "[onnx]") {
  CHECK(Read(Proto(TensorProto::FLOAT, {0, int64_t{1} << 62})).content.values->empty());
}

TEST_CASE("what does not fit is refused before memory is taken", "[onnx]") {
  const int64_t huge = int64_t{1} << 62;
  CHECK(Refusal(Proto(TensorProto::FLOAT, {2}, "1234567")) ==
        "it has 7 bytes, FLOAT [2] asks for 8");
  CHECK(Refusal(Proto(TensorProto::FLOAT, {3})) == "it has 0 elements, FLOAT [3] asks for 3");
  CHECK(Refusal(Proto(TensorProto::FLOAT, {-1}, "1234")) == "it has a dimension of -1");
  CHECK_FALSE(Refusal(Proto(TensorProto::FLOAT, {huge, huge, huge}, "1234")).empty());
  CHECK_FALSE(Refusal(Proto(TensorProto::INT64, {huge})).empty());
  CHECK(Refusal(Proto(TensorProto::STRING, {1})) == "it is STRING, which is not known");
  CHECK(Refusal(Proto(99, {1})) == "it is type 99, which is not known");
}

// A tensor of two floats in another file.
TensorProto External(const std::vector<std::pair<std::string, std::string>>& entries) {
  TensorProto proto = Proto(TensorProto::FLOAT, {2});
  proto.set_data_location(TensorProto::EXTERNAL);
  for (const auto& [key, value] : entries) {
    auto* entry = proto.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
  return proto;
}

TEST_CASE("data beside the model is read from its place", "[onnx]") {
  base::MemoryFileSystem files;
  REQUIRE(files.MakeFolders("/m/weights") == absl::OkStatus());
  REQUIRE(base::WriteFileAtomically(files, "/m/weights/a.bin",
                                    Bytes<float>({9, 1.5F, -2, 9})) == absl::OkStatus());
  const ExternalFiles beside(&files, "/m");
  const auto read = [&](const std::vector<std::pair<std::string, std::string>>& entries) {
    return ReadTensor(External(entries), beside);
  };
  const auto tensor = read({{"location", "weights/a.bin"}, {"offset", "4"}, {"length", "8"}});
  REQUIRE(tensor.status() == absl::OkStatus());
  CHECK(*tensor->content.values == std::vector<float>{1.5F, -2});
  CHECK(read({{"location", "weights/a.bin"}}).ok());
  CHECK(read({{"location", "weights/a.bin"}, {"offset", "8"}}).ok());

  const auto refusal = [&](const std::vector<std::pair<std::string, std::string>>& entries) {
    return std::string(read(entries).status().message());
  };
  CHECK(refusal({{"location", "weights/a.bin"}, {"offset", "9"}}) ==
        "its 8 bytes at 9 do not fit 'weights/a.bin', which has 16");
  CHECK(refusal({{"location", "weights/a.bin"}, {"offset", "18446744073709551615"}}) ==
        "its 8 bytes at 18446744073709551615 do not fit 'weights/a.bin', which has 16");
  CHECK(refusal({{"location", "weights/a.bin"}, {"offset", "-4"}}) == "its external offset is '-4'");
  CHECK(refusal({{"location", "weights/a.bin"}, {"length", "4"}}) ==
        "its external data has 4 bytes, its shape asks for 8");
  CHECK(refusal({}) == "its external data has no location");
  for (const char* path : {"../m/weights/a.bin", "/m/weights/a.bin", "weights/../../etc/a",
                           "weights\\a.bin", ".."}) {
    CAPTURE(path);
    CHECK(refusal({{"location", path}}) ==
          "its external data lies in '" + std::string(path) +
              "'; it must be a path within the model's folder, without '..'");
  }
  CHECK(Refusal(External({{"location", "a"}})) == "its data lies in another file");
}

}  // namespace
}  // namespace rm::onnx
