// safetensors: tensors that lie within the file, and that are written and read again as the same.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/memory_file_system.h"
#include "runtime/data/testing.h"
#include "runtime/tensorfile/safetensors.h"
#include "tests/fuzz/fuzz_target.h"

namespace rm::fuzz {
namespace {

using tensorfile::SafetensorsFile;

// A file of these tensors; with its data at hand, since the layout only points to it.
std::string FileOf(const std::vector<tensorfile::TensorData>& tensors,
                   const tensorfile::Metadata& metadata) {
  const auto image = tensorfile::LayOut(tensors, metadata);
  RM_CHECK(image.ok(), image.status().message());
  std::string file = image->head;
  for (const absl::string_view piece : image->data) absl::StrAppend(&file, piece);
  return file;
}

absl::StatusOr<std::unique_ptr<SafetensorsFile>> OpenBytes(base::MemoryFileSystem& files,
                                                           absl::string_view bytes) {
  data::WriteFile(files, "/d/x.safetensors", bytes);
  return SafetensorsFile::Open(files, "/d/x.safetensors");
}

// By name: dtype, shape and bytes.
std::map<std::string, std::string> ContentOf(const SafetensorsFile& file, size_t file_bytes) {
  std::map<std::string, std::string> content;
  for (const tensorfile::TensorInfo& tensor : file.tensors()) {
    RM_CHECK(tensor.offset + tensor.bytes <= file_bytes, "beyond the end: ", tensor.name);
    std::string bytes(tensor.bytes, '\0');
    const absl::Status read = file.Read(tensor, bytes.data());
    RM_CHECK(read.ok(), read.message());
    content[tensor.name] = absl::StrCat(tensor.dtype, "|", absl::StrJoin(tensor.shape, ","), "|", bytes);
    RM_CHECK(file.Find(tensor.name) == &tensor, "not found: ", tensor.name);
  }
  return content;
}

// The same tensors in a file of our own.
std::string Rewritten(const SafetensorsFile& file) {
  std::vector<std::unique_ptr<std::string>> memory;
  std::vector<tensorfile::TensorData> tensors;
  for (const tensorfile::TensorInfo& info : file.tensors()) {
    memory.push_back(std::make_unique<std::string>(info.bytes, '\0'));
    RM_CHECK(file.Read(info, memory.back()->data()).ok(), info.name);
    tensors.push_back({info.name, info.dtype, info.shape, memory.back()->data(), info.bytes});
  }
  return FileOf(tensors, file.metadata());
}

}  // namespace

TargetOptions Options() {
  TargetOptions options;
  options.cases = 80'000;
  options.input_bytes_max = 2048;
  return options;
}

std::vector<std::string> Seeds() {
  static const std::string& numbers = *new std::string(64, '\x11');
  return {FileOf({{"weight", "F32", {2, 3}, numbers.data(), 24}, {"bias", "F32", {3}, numbers.data(), 12}},
                 {{"format", "pt"}}),
          FileOf({{"a", "I64", {}, numbers.data(), 8}, {"b", "U8", {0, 4}, nullptr, 0},
                  {"c", "BF16", {5}, numbers.data(), 10}},
                 {}),
          FileOf({}, {{"only", "metadata"}})};
}

std::vector<std::string> Words() {
  return {"\"dtype\":\"F64\"", "\"shape\":[", "\"data_offsets\":[0,",  "[0,24]", "\"__metadata__\":{",
          "{}",               "-1",          "18446744073709551615", "\"F32\"", "}",
          "[9223372036854775807,2]", ",",    "\"\"",                 "\\u0000", "1e3"};
}

}  // namespace rm::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rm::base::MemoryFileSystem files;
  const auto file = rm::fuzz::OpenBytes(files, rm::fuzz::TextOf(data, size));
  if (!file.ok()) {
    RM_CHECK(absl::StrContains(file.status().message(), "/d/x.safetensors"), "which file? ",
             file.status().message());
    return 0;
  }
  rm::fuzz::Accepted();
  const auto content = rm::fuzz::ContentOf(**file, size);
  const std::string written = rm::fuzz::Rewritten(**file);
  rm::base::MemoryFileSystem other;
  const auto again = rm::fuzz::OpenBytes(other, written);
  RM_CHECK(again.ok(), again.status().message());
  RM_CHECK(rm::fuzz::ContentOf(**again, written.size()) == content, "other tensors");
  RM_CHECK((*again)->metadata() == (*file)->metadata(), "other metadata");
  return 0;
}
