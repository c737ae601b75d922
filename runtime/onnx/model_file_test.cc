#include "runtime/onnx/model_file.h"

#include <catch2/catch.hpp>

#include "base/memory_file_system.h"
#include "runtime/onnx/testing.h"

namespace rm::onnx {
namespace {

TEST_CASE("what is written is read again", "[onnx]") {
  base::MemoryFileSystem files;
  REQUIRE(files.MakeFolders("/m") == absl::OkStatus());
  REQUIRE(WriteModel(LinearModel().proto(), "/m/a.onnx", files) == absl::OkStatus());
  const auto read = ReadModel(files, "/m/a.onnx");
  REQUIRE(read.status() == absl::OkStatus());
  CHECK(read->SerializeAsString() == LinearModel().proto().SerializeAsString());
}

TEST_CASE("a file that is cut off is refused, wherever it is", "[onnx]") {
  base::MemoryFileSystem files;
  REQUIRE(files.MakeFolders("/m") == absl::OkStatus());
  const std::string whole = LinearModel().proto().SerializeAsString();
  int refused = 0;
  for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
    REQUIRE(base::WriteFileAtomically(files, "/m/a.onnx", whole.substr(0, bytes)) ==
            absl::OkStatus());
    const auto read = ReadModel(files, "/m/a.onnx");
    if (!read.ok()) ++refused;
  }
  // Between two fields a message may end: then what follows is missed by import.
  CHECK(refused > static_cast<int>(whole.size()) - 10);
}

TEST_CASE("what is no model is named", "[onnx]") {
  base::MemoryFileSystem files;
  REQUIRE(files.MakeFolders("/m") == absl::OkStatus());
  REQUIRE(base::WriteFileAtomically(files, "/m/a.onnx", "a text\n") == absl::OkStatus());
  CHECK(ReadModel(files, "/m/a.onnx").status() ==
        absl::InvalidArgumentError("/m/a.onnx is no ONNX model, or it is truncated (7 bytes)"));
  CHECK(absl::IsNotFound(ReadModel(files, "/m/b.onnx").status()));
}

}  // namespace
}  // namespace rm::onnx
