// What a rank writes and reports, and what is left when it cannot.
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "base/memory_file_system.h"
#include "base/sha256.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/names.h"
#include "runtime/checkpoint/sums.h"
#include "runtime/checkpoint/testing.h"

namespace rm::checkpoint {
namespace {

using base::MemoryFileSystem;
using Fault = MemoryFileSystem::Fault;

const SaveId kId{10, 2, "n"};

TEST_CASE("the reports are those of the files, for shards with and without a thread to sum up") {
  for (const size_t floats_max : {size_t{12}, size_t{300'000}, size_t{900'000}}) {
    CAPTURE(floats_max);
    const TestModel model(10, floats_max);
    MemoryFileSystem files;
    const auto reports = WriteShard(files, kJobFolder, kId, model.ShardOf(1, 2));
    REQUIRE(reports.ok());
    REQUIRE(reports->size() == 2);
    CHECK((*reports)[0].file == "weights-00001-of-00002.safetensors");
    CHECK((*reports)[1].file == "optimizer-00001-of-00002.safetensors");
    for (const ShardReport& report : *reports) {
      CHECK(report.save == ".tmp-000000000010-g2-n");
      const std::string bytes =
          *files.ReadFile(base::JoinPath(TemporaryFolder(kJobFolder, kId), report.file));
      Sums sums;
      sums.Update(bytes);
      const ShardReport expected = sums.Finish(report.save, report.file);
      CHECK(report.bytes == expected.bytes);
      CHECK(report.sha256 == expected.sha256);
      CHECK(report.crc32c == expected.crc32c);
    }
  }
}

TEST_CASE("the files are safetensors that any reader of the format opens") {
  const TestModel model(10);
  MemoryFileSystem files;
  REQUIRE(WriteShard(files, kJobFolder, kId, model.ShardOf(0, 1)).ok());
  const std::string folder = TemporaryFolder(kJobFolder, kId);
  const auto weights =
      tensorfile::SafetensorsFile::Open(files, base::JoinPath(folder, WeightsFile(0, 1)));
  REQUIRE(weights.ok());
  CHECK((*weights)->tensors().size() == model.weights().size());
  CHECK((*weights)->metadata() == tensorfile::Metadata{{"format", "pt"}, {"step", "10"}});
}

TEST_CASE("a rank without tensors writes files without tensors") {
  MemoryFileSystem files;
  ShardSpec shard;
  const auto reports = WriteShard(files, kJobFolder, kId, shard);
  REQUIRE(reports.ok());
  const auto file = tensorfile::SafetensorsFile::Open(
      files, base::JoinPath(TemporaryFolder(kJobFolder, kId), WeightsFile(0, 1)));
  REQUIRE(file.ok());
  CHECK((*file)->tensors().empty());
}

TEST_CASE("a shard that is reported is durable, names included") {
  MemoryFileSystem files;
  REQUIRE(Prepare(files, kJobFolder, kId, 1000).ok());
  REQUIRE(files.SyncFolder(kJobFolder).ok());  // the temporary folder's name: rank 0's business
  const auto reports = WriteShard(files, kJobFolder, kId, TestModel(10).ShardOf(0, 1));
  REQUIRE(reports.ok());
  files.Crash();
  for (const ShardReport& report : *reports) {
    const std::string bytes =
        *files.ReadFile(base::JoinPath(TemporaryFolder(kJobFolder, kId), report.file));
    CHECK(base::Sha256Hex(bytes) == report.sha256);
  }
}

TEST_CASE("an error at any operation is reported, and takes the rank's files with it") {
  const TestModel model(10);
  for (const Fault fault : {Fault::kIoError, Fault::kDiskFull}) {
    for (int64_t n = 1;; ++n) {
      CAPTURE(static_cast<int>(fault), n);
      MemoryFileSystem files;
      REQUIRE(Prepare(files, kJobFolder, kId, 1000).ok());
      const int64_t start = files.operations();
      files.FailFrom(start + n, fault);
      const auto reports = WriteShard(files, kJobFolder, kId, model.ShardOf(0, 1));
      const bool disturbed = files.operations() - start >= n;
      if (!reports.ok()) {
        CHECK(files.List(TemporaryFolder(kJobFolder, kId))->empty());
        CHECK(absl::IsResourceExhausted(reports.status()) == (fault == Fault::kDiskFull));
      }
      if (fault == Fault::kIoError) CHECK(reports.ok() == !disturbed);
      if (disturbed) continue;
      CHECK(n > 8);
      break;
    }
  }
}

TEST_CASE("a rank may write before rank 0 has made the folder") {
  MemoryFileSystem files;
  CHECK(WriteShard(files, kJobFolder, kId, TestModel(10).ShardOf(1, 2)).ok());
}

TEST_CASE("giving up a save leaves nothing, and may be done twice") {
  MemoryFileSystem files;
  REQUIRE(WriteShard(files, kJobFolder, kId, TestModel(10).ShardOf(0, 1)).ok());
  REQUIRE(NamesIn(files).size() == 1);
  Abandon(files, kJobFolder, kId);
  CHECK(NamesIn(files).empty());
  Abandon(files, kJobFolder, kId);
}

}  // namespace
}  // namespace rm::checkpoint
