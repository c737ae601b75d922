#include "runtime/onnx/self_contained.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/memory_file_system.h"
#include "runtime/onnx/import.h"
#include "runtime/onnx/testing.h"

namespace rm::onnx {
namespace {

using ringmaster::onnx::TensorProto;

// The linear model with its bias in the file `location`, as the exporter writes it.
ringmaster::onnx::ModelProto WithBiasIn(const std::string& location) {
  auto proto = LinearModel().proto();
  TensorProto* bias = proto.mutable_graph()->mutable_initializer(1);
  bias->clear_float_data();
  bias->set_data_location(TensorProto::EXTERNAL);
  const std::pair<const char*, std::string> entries[] = {
      {"location", location}, {"offset", "4"}, {"length", "12"}};
  for (const auto& [key, value] : entries) {
    auto* entry = bias->add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
  return proto;
}

// Four bytes of something else, then the bias.
void WriteData(base::MemoryFileSystem& files, const std::string& path) {
  const float values[] = {9, 0.5F, -0.5F, 0.25F};
  std::string bytes(sizeof(values), '\0');
  std::memcpy(bytes.data(), values, sizeof(values));
  REQUIRE(files.MakeFolders("/m").ok());
  REQUIRE(base::WriteFileAtomically(files, path, bytes).ok());
}

TEST_CASE("tensors beside a model are taken in, and it needs no other file any more") {
  base::MemoryFileSystem files;
  WriteData(files, "/m/model.onnx.data");
  auto proto = WithBiasIn("model.onnx.data");
  CHECK(HasExternalData(proto));
  CHECK_FALSE(ImportModel(proto, ExternalFiles()).ok());
  REQUIRE(TakeInExternalData(ExternalFiles(&files, "/m"), &proto).ok());
  CHECK_FALSE(HasExternalData(proto));
  const auto imported = ImportModel(proto, ExternalFiles());
  REQUIRE(imported.ok());
  const auto& bias = imported->graph.value(imported->graph.FindValue("fc.bias"));
  CHECK(*bias.initializer.values == std::vector<float>{0.5F, -0.5F, 0.25F});
}

TEST_CASE("a model without other files stays as it is") {
  auto proto = LinearModel().proto();
  const std::string before = proto.SerializeAsString();
  CHECK_FALSE(HasExternalData(proto));
  REQUIRE(TakeInExternalData(ExternalFiles(), &proto).ok());
  CHECK(proto.SerializeAsString() == before);
}

TEST_CASE("a tensor whose file is not there, or not in the folder, is named") {
  base::MemoryFileSystem files;
  WriteData(files, "/secret");
  for (const char* location : {"none.data", "../secret", "/secret"}) {
    auto proto = WithBiasIn(location);
    const absl::Status status = TakeInExternalData(ExternalFiles(&files, "/m"), &proto);
    CAPTURE(location, status.message());
    CHECK_FALSE(status.ok());
    CHECK(std::string(status.message()).find("tensor 'fc.bias'") == 0);
  }
}

TEST_CASE("a constant's tensor may lie outside as well") {
  auto proto = LinearModel().proto();
  auto* node = proto.mutable_graph()->add_node();
  node->set_op_type("Constant");
  node->add_output("c");
  auto* attribute = node->add_attribute();
  attribute->set_name("value");
  *attribute->mutable_t() = WithBiasIn("d").graph().initializer(1);
  CHECK(HasExternalData(proto));
  base::MemoryFileSystem files;
  WriteData(files, "/m/d");
  REQUIRE(TakeInExternalData(ExternalFiles(&files, "/m"), &proto).ok());
  CHECK_FALSE(HasExternalData(proto));
}

}  // namespace
}  // namespace rm::onnx
