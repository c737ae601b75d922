// NumPy's .npy: what is read is written and read again as the same array.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "base/check.h"
#include "base/memory_file_system.h"
#include "runtime/data/testing.h"
#include "runtime/tensorfile/npy.h"
#include "tests/fuzz/fuzz_target.h"

namespace rm::fuzz {
namespace {

std::string Array(const char* dtype, const std::vector<int64_t>& shape, size_t bytes) {
  return tensorfile::EncodeNpy(dtype, shape, std::string(bytes, '\x3f')).value();
}

absl::StatusOr<std::unique_ptr<tensorfile::NpyFile>> OpenBytes(base::MemoryFileSystem& files,
                                                               absl::string_view bytes) {
  data::WriteFile(files, "/d/x.npy", bytes);
  return tensorfile::NpyFile::Open(files, "/d/x.npy");
}

std::string DataOf(const tensorfile::NpyFile& file) {
  std::string data(file.data_bytes(), '\0');
  const absl::Status read = file.Read(0, file.data_bytes(), data.data());
  RM_CHECK(read.ok(), read.message());
  return data;
}

}  // namespace

TargetOptions Options() {
  TargetOptions options;
  options.cases = 100'000;
  options.input_bytes_max = 1024;
  return options;
}

std::vector<std::string> Seeds() {
  return {Array("F32", {2, 3}, 24), Array("I64", {4}, 32), Array("U8", {}, 1),
          Array("F64", {0, 7}, 0), Array("BOOL", {3, 1, 2}, 6)};
}

std::vector<std::string> Words() {
  return {"'descr'", "'<f4'", "'>f4'",  "'|O'",  "'fortran_order'", "True", "False", "'shape'",
          "(2, 3)",  "(",     ")",      ",",     "(-1,)",           "{",    "}",     "\x93NUMPY",
          "'<i8'",   "(9223372036854775807, 9223372036854775807)",  "\n",   " ",     "'|b1'"};
}

}  // namespace rm::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rm::base::MemoryFileSystem files;
  const auto file = rm::fuzz::OpenBytes(files, rm::fuzz::TextOf(data, size));
  if (!file.ok()) {
    RM_CHECK(absl::StrContains(file.status().message(), "/d/x.npy"), "which file? ",
             file.status().message());
    return 0;
  }
  rm::fuzz::Accepted();
  RM_CHECK((*file)->data_bytes() <= size, "more data than file");
  const std::string values = rm::fuzz::DataOf(**file);
  const auto written = rm::tensorfile::EncodeNpy((*file)->dtype(), (*file)->shape(), values);
  RM_CHECK(written.ok(), written.status().message());
  rm::base::MemoryFileSystem other;
  const auto again = rm::fuzz::OpenBytes(other, *written);
  RM_CHECK(again.ok(), again.status().message());
  RM_CHECK((*again)->dtype() == (*file)->dtype() && (*again)->shape() == (*file)->shape(), "shape");
  RM_CHECK(rm::fuzz::DataOf(**again) == values, "other values");
  return 0;
}
