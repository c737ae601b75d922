#include "runtime/tensorfile/npz.h"

#include <catch2/catch.hpp>
#include <cstring>

#include "base/memory_file_system.h"
#include "base/random.h"

namespace rm::tensorfile {
namespace {

using base::MemoryFileSystem;

std::string Bytes(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// An archive of two arrays, as a file's content.
std::string TwoArrays(MemoryFileSystem& files) {
  const std::string weights = Bytes({1, 2, 3, 4, 5, 6});
  const std::string labels(16, '\1');
  auto file = files.Create("/made.npz");
  REQUIRE(file.ok());
  REQUIRE(WriteNpz({{"fc1.weight", "F32", {2, 3}, weights}, {"labels", "I64", {2}, labels}}, **file)
              .ok());
  REQUIRE((*file)->Close().ok());
  return *files.ReadFile("/made.npz");
}

absl::Status OpenError(MemoryFileSystem& files, const std::string& bytes) {
  REQUIRE(base::WriteFileAtomically(files, "/bad.npz", bytes).ok());
  return NpzFile::Open(files, "/bad.npz").status();
}

TEST_CASE("what is written is read: names, types, shapes and elements") {
  MemoryFileSystem files;
  TwoArrays(files);
  const auto npz = NpzFile::Open(files, "/made.npz");
  REQUIRE(npz.ok());
  REQUIRE((*npz)->arrays().size() == 2);
  CHECK((*npz)->arrays().at("fc1.weight")->shape() == std::vector<int64_t>{2, 3});
  CHECK((*npz)->arrays().at("labels")->dtype() == "I64");
  CHECK(*(*npz)->ReadFloats("fc1.weight") == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(absl::IsNotFound((*npz)->ReadFloats("fc2.weight").status()));
  CHECK(absl::IsInvalidArgument((*npz)->ReadFloats("labels").status()));
}

TEST_CASE("equal arrays make equal files, and none make an empty archive") {
  MemoryFileSystem files;
  CHECK(TwoArrays(files) == TwoArrays(files));
  auto file = files.Create("/empty.npz");
  REQUIRE(WriteNpz({}, **file).ok());
  REQUIRE((*file)->Close().ok());
  CHECK((*NpzFile::Open(files, "/empty.npz"))->arrays().empty());
}

TEST_CASE("sizes of 64 bits in a local header are passed over, as numpy writes them") {
  MemoryFileSystem files;
  std::string bytes = TwoArrays(files);
  // A local extra field of 20 bytes behind the second array's name moves its data; the directory moves along.
  const size_t second = bytes.find("PK\3\4", 4);
  const size_t central = bytes.find("PK\1\2");
  bytes[second + 28] = 20;
  bytes.insert(second + 30 + std::strlen("labels.npy"), 20, '\7');
  const size_t end = bytes.find("PK\5\6");
  const uint32_t moved = static_cast<uint32_t>(central + 20);
  std::memcpy(bytes.data() + end + 16, &moved, sizeof(moved));
  REQUIRE(base::WriteFileAtomically(files, "/numpy.npz", bytes).ok());
  const auto npz = NpzFile::Open(files, "/numpy.npz");
  INFO(npz.status());
  REQUIRE(npz.ok());
  CHECK((*npz)->arrays().at("labels")->data_bytes() == 16);
}

TEST_CASE("what is no archive of stored arrays is refused, and says why") {
  MemoryFileSystem files;
  const std::string good = TwoArrays(files);
  CHECK(OpenError(files, "").message() ==
        "/bad.npz: it is no .npz file: no end of a zip archive is found");
  const size_t central = good.find("PK\1\2");
  std::string compressed = good;
  compressed[central + 10] = 8;
  CHECK(OpenError(files, compressed).message() ==
        "/bad.npz: 'fc1.weight.npy' is compressed; write it with numpy.savez");
  std::string encrypted = good;
  encrypted[central + 8] = 1;
  CHECK(OpenError(files, encrypted).message() == "/bad.npz: 'fc1.weight.npy' is encrypted");
  std::string beyond = good;
  beyond[central + 45] = 0x7F;
  CHECK_FALSE(OpenError(files, beyond).ok());
  std::string no_npy = good;
  no_npy[good.find("\x93NUMPY")] = 'x';
  CHECK(OpenError(files, no_npy).message() ==
        "/bad.npz: fc1.weight.npy: /bad.npz: it is no .npy file: it does not begin with \\x93NUMPY");
}

TEST_CASE("whatever byte of an archive is changed or cut off, reading ends with a status") {
  MemoryFileSystem files;
  const std::string good = TwoArrays(files);
  base::RandomStream random(5, 5);
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = good;
    bytes[random.NextBelow(bytes.size())] = static_cast<char>(random.NextBelow(256));
    if (i % 3 == 0) bytes.resize(random.NextBelow(bytes.size()));
    REQUIRE(base::WriteFileAtomically(files, "/bad.npz", bytes).ok());
    const auto npz = NpzFile::Open(files, "/bad.npz");
    if (!npz.ok()) continue;
    for (const auto& [name, array] : (*npz)->arrays()) {
      std::string data(static_cast<size_t>(array->data_bytes()), '\0');
      CHECK(array->Read(0, array->data_bytes(), data.data()).ok());
    }
  }
}

}  // namespace
}  // namespace rm::tensorfile
