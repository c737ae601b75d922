#include "runtime/tensorfile/npy.h"

#include <catch2/catch.hpp>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/memory_file_system.h"
#include "base/random.h"
#include "runtime/tensorfile/dtype.h"

namespace rm::tensorfile {
namespace {

using base::MemoryFileSystem;

absl::StatusOr<std::unique_ptr<NpyFile>> OpenBytes(const std::string& bytes) {
  MemoryFileSystem files;
  REQUIRE(base::WriteFileAtomically(files, "/a.npy", bytes).ok());
  // Opened files must not outlive their file system; nothing but the outcome of Open is looked at.
  auto file = NpyFile::Open(files, "/a.npy");
  if (!file.ok()) return file.status();
  return nullptr;
}

std::string Floats(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// A file with this header, whatever it says.
std::string FileOf(char major, const std::string& header, const std::string& data) {
  std::string bytes = std::string("\x93NUMPY") + major + '\0';
  for (size_t i = 0; i < (major == 1 ? 2 : 4); ++i) {
    bytes += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  }
  return bytes + header + data;
}

const std::string kTwoFloats = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";

TEST_CASE("the example of docs/data.md is what is written, byte for byte") {
  const auto file = EncodeNpy("F32", {2}, Floats({1.0F, 2.0F}));
  REQUIRE(file.ok());
  CHECK(file->size() == 136);
  CHECK(file->substr(0, 10) == std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  CHECK(file->substr(10, kTwoFloats.size()) == kTwoFloats);
  CHECK(file->substr(10 + kTwoFloats.size(), 117 - kTwoFloats.size()) ==
        std::string(117 - kTwoFloats.size(), ' '));
  CHECK((*file)[127] == '\n');
  CHECK(file->substr(128) == std::string("\x00\x00\x80\x3F\x00\x00\x00\x40", 8));
}

TEST_CASE("what is written is read: type, shape and bytes") {
  base::RandomStream random(1, 1);
  for (const char* const dtype :
       {"F32", "F64", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64", "BOOL"}) {
    for (const std::vector<int64_t>& shape :
         std::vector<std::vector<int64_t>>{{}, {0}, {5}, {2, 3}, {1, 2, 0, 4}, {3, 1, 2, 2}}) {
      CAPTURE(dtype, shape);
      std::string data(*TensorBytes(dtype, shape), '\0');
      for (char& byte : data) byte = static_cast<char>(random.NextBits());
      MemoryFileSystem files;
      const auto bytes = EncodeNpy(dtype, shape, data);
      REQUIRE(bytes.ok());
      REQUIRE(base::WriteFileAtomically(files, "/a.npy", *bytes).ok());
      const auto file = NpyFile::Open(files, "/a.npy");
      REQUIRE(file.ok());
      CHECK((*file)->dtype() == dtype);
      CHECK((*file)->shape() == shape);
      CHECK((*file)->data_offset() % 64 == 0);
      REQUIRE((*file)->data_bytes() == data.size());
      std::string read(data.size(), '\0');
      REQUIRE((*file)->Read(0, data.size(), read.data()).ok());
      CHECK(read == data);
      if (data.size() > 3) {
        REQUIRE((*file)->Read(2, 1, read.data()).ok());
        CHECK(read[0] == data[2]);
      }
    }
  }
}

TEST_CASE("versions 1.0, 2.0 and 3.0 are read, and no other") {
  for (const char major : {'\1', '\2', '\3'}) {
    CHECK(OpenBytes(FileOf(major, kTwoFloats, "12345678")).ok());
  }
  for (const char major : {'\0', '\4', '\x7f'}) {
    CHECK_THAT(std::string(OpenBytes(FileOf(major, kTwoFloats, "12345678")).status().message()),
               Catch::Contains("is none of 1.0, 2.0, 3.0"));
  }
}

TEST_CASE("files that are not what they should be are refused with the reason") {
  const auto header = [](const std::string& descr, const std::string& order,
                         const std::string& shape) {
    return absl::StrCat("{'descr': ", descr, ", 'fortran_order': ", order, ", 'shape': ", shape, "}");
  };
  const std::string good = FileOf(1, kTwoFloats, "12345678");
  const struct {
    std::string bytes;
    const char* message;
  } cases[] = {
      {"", "/a.npy: the file ends at offset 0, within its head of 10 bytes"},
      {"\x93NUMPY", "the file ends at offset 6, within its head of 10 bytes"},
      {"PK\x03\x04 no npy file at all", "it does not begin with \\x93NUMPY"},
      {good.substr(0, 30), "the file ends at offset 30, within its head of 67 bytes"},
      {good.substr(0, good.size() - 1),
       "expected 8 bytes of data (F32 [2]) behind the head of 67 bytes, found 7"},
      {good + "x", "expected 8 bytes of data (F32 [2]) behind the head of 67 bytes, found 9"},
      {std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12),
       "the header claims 4294967295 bytes; at most 65536 are possible"},
      {FileOf(1, header("'<f4'", "True", "(2,)"), "12345678"), "the array is in Fortran order"},
      {FileOf(1, header("'>f4'", "False", "(2,)"), "12345678"),
       "the numbers are big-endian ('>f4'); save them with astype('<f4')"},
      {FileOf(1, header("'<U5'", "False", "(2,)"), "x"), "the type '<U5' is not read; possible: <f4"},
      {FileOf(1, header("'|O'", "False", "(2,)"), "x"), "the type '|O' is not read"},
      {FileOf(1, header("[('a', '<f4')]", "False", "(2,)"), "x"), "the type is a structure"},
      {FileOf(1, "{'descr': '<f4'}", ""), "the keys must be"},
      // A claim of a gigabyte, and of more than there is, in a file of a hundred bytes.
      {FileOf(1, header("'<f4'", "False", "(268435456,)"), "x"),
       "expected 1073741824 bytes of data (F32 [268435456])"},
      {FileOf(1, header("'<f8'", "False", "(4294967296, 4294967296)"), "x"),
       "is larger than any memory"},
  };
  for (const auto& test : cases) {
    const auto file = OpenBytes(test.bytes);
    REQUIRE(absl::IsInvalidArgument(file.status()));
    CHECK_THAT(std::string(file.status().message()), Catch::Contains(test.message));
    CHECK_THAT(std::string(file.status().message()), Catch::StartsWith("/a.npy: "));
  }
}

TEST_CASE("a missing file is NotFound") {
  const MemoryFileSystem files;
  CHECK(absl::IsNotFound(NpyFile::Open(files, "/none.npy").status()));
}

TEST_CASE("arrays that no file can hold are not written") {
  CHECK(absl::IsInvalidArgument(EncodeNpy("BF16", {1}, "ab").status()));
  CHECK(absl::IsInvalidArgument(EncodeNpy("F32", {-1}, "").status()));
  CHECK(EncodeNpy("F32", {2}, "1234567").status() ==
        absl::InvalidArgumentError("F32 [2] has 8 bytes, not 7"));
}

TEST_CASE("no flipped bit of a head crashes the reader") {
  const std::string good = *EncodeNpy("F32", {2}, Floats({1, 2}));
  for (size_t bit = 0; bit < 128 * 8; ++bit) {
    std::string damaged = good;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const auto file = OpenBytes(damaged);
    if (!file.ok()) CHECK_FALSE(file.status().message().empty());
  }
}

}  // namespace
}  // namespace rm::tensorfile
