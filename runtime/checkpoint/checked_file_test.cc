#include "runtime/checkpoint/checked_file.h"

#include <catch2/catch.hpp>

#include "base/memory_file_system.h"
#include "base/random.h"
#include "runtime/checkpoint/sums.h"

namespace rm::checkpoint {
namespace {

// A file of a little more than two blocks.
constexpr size_t kBytes = 2 * kBlockBytes + 1000;

struct Example {
  base::MemoryFileSystem files;
  std::string bytes;
  ShardReport report;

  Example() : bytes(kBytes, '\0') {
    base::RandomStream random(1, 1);
    for (char& byte : bytes) byte = static_cast<char>(random.NextBits());
    Sums sums;
    sums.Update(bytes);
    report = sums.Finish("", "weights");
    REQUIRE(files.MakeFolders("/c").ok());
    auto file = files.Create("/c/weights");
    REQUIRE((*file)->Append(bytes).ok());
  }
};

TEST_CASE("any range is read as it is in the file") {
  const Example example;
  const auto file = CheckedFile::Open(example.files, "/c", example.report);
  REQUIRE(file.ok());
  CHECK((*file)->size() == kBytes);
  CHECK((*file)->block_count() == 3);
  base::RandomStream random(2, 2);
  const std::pair<size_t, size_t> ranges[] = {
      {0, kBytes}, {0, 0}, {kBytes, 0}, {0, kBlockBytes}, {kBlockBytes, kBlockBytes},
      {kBlockBytes - 1, 2}, {5, kBlockBytes}, {2 * kBlockBytes, 1000}, {kBytes - 1, 1},
      {1, kBytes - 2}, {random.NextBelow(kBytes / 2), random.NextBelow(kBytes / 2)}};
  for (const auto& [offset, size] : ranges) {
    CAPTURE(offset, size);
    std::string read(size, '\0');
    REQUIRE((*file)->Read(offset, size, read.data()).ok());
    CHECK(read == example.bytes.substr(offset, size));
  }
}

TEST_CASE("a range beyond the end is refused") {
  const Example example;
  const auto file = CheckedFile::Open(example.files, "/c", example.report);
  char byte = 0;
  CHECK(absl::IsOutOfRange((*file)->Read(kBytes, 1, &byte)));
  CHECK(absl::IsOutOfRange((*file)->Read(~uint64_t{0}, 1, &byte)));
  CHECK(absl::IsOutOfRange((*file)->Read(1, ~uint64_t{0}, &byte)));
}

TEST_CASE("a damaged block is told with its place, by whole and by partial reads alike") {
  Example example;
  REQUIRE(example.files.FlipBit("/c/weights", kBlockBytes + 77).ok());
  const auto file = CheckedFile::Open(example.files, "/c", example.report);
  REQUIRE(file.ok());
  std::string buffer(kBytes, '\0');
  const struct {
    uint64_t offset, size;
    bool damaged;
  } cases[] = {{0, kBlockBytes, false},         {0, kBytes, true},
               {kBlockBytes, kBlockBytes, true}, {kBlockBytes, 1, true},
               {kBlockBytes - 1, 1, false},      {2 * kBlockBytes, 1000, false},
               {kBlockBytes - 1, 2, true}};
  for (const auto& test : cases) {
    CAPTURE(test.offset, test.size);
    const absl::Status status = (*file)->Read(test.offset, test.size, buffer.data());
    CHECK(status.ok() != test.damaged);
    if (!test.damaged) continue;
    CHECK(absl::IsDataLoss(status));
    CHECK_THAT(std::string(status.message()),
               Catch::StartsWith("weights: 1048576: the block of 1048576 bytes has CRC32C "));
  }
}

TEST_CASE("damage is still found after a good read of the same block by another reader") {
  Example example;
  const auto file = CheckedFile::Open(example.files, "/c", example.report);
  char byte = 0;
  REQUIRE((*file)->Read(3, 1, &byte).ok());
  REQUIRE(example.files.FlipBit("/c/weights", 3).ok());
  // The block that was checked is kept, so the old reader still hands out what was right.
  REQUIRE((*file)->Read(3, 1, &byte).ok());
  CHECK(byte == example.bytes[3]);
  const auto fresh = CheckedFile::Open(example.files, "/c", example.report);
  CHECK(absl::IsDataLoss((*fresh)->Read(3, 1, &byte)));
}

TEST_CASE("a missing file and a file of another length are told at the opening") {
  Example example;
  ShardReport longer = example.report;
  longer.bytes += 1;
  CHECK(CheckedFile::Open(example.files, "/c", longer).status() ==
        absl::DataLossError("weights: 2098152: the file has 2098152 bytes, not 2098153"));
  CHECK(CheckedFile::Open(example.files, "/d", example.report).status() ==
        absl::DataLossError("weights: 0: the file is missing"));
}

}  // namespace
}  // namespace rm::checkpoint
