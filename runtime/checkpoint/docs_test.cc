// The worked example of docs/checkpoint_format.md, made by the code and compared with the text.
#include <algorithm>
#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/memory_file_system.h"
#include "runtime/checkpoint/checkpoint.h"

namespace rm::checkpoint {
namespace {

constexpr char kDocument[] = "docs/checkpoint_format.md";
constexpr char kFolder[] = "/storage/job";

// Makes the checkpoint of the example and returns its path.
std::string MakeExample(base::FileSystem& files) {
  const float weight[] = {1, -2};
  const float momentum[] = {0.5F, 0};
  const SaveId id{1000, 2, "9f3c5a7b00112233"};
  ShardSpec shard;
  shard.weights = {{"fc.weight", "F32", {1, 2}, weight, sizeof(weight)}};
  shard.optimizer = {{"fc.weight.momentum", "F32", {1, 2}, momentum, sizeof(momentum)}};
  REQUIRE(Prepare(files, kFolder, id, 16).ok());
  CommitSpec commit;
  commit.id = id;
  commit.reports = *WriteShard(files, kFolder, id, shard);
  commit.lineage = {{1, 0}, {2, 500}};
  commit.trainer_state.Set("step", 1000);
  commit.trainer_state.Set("seed", 1);
  commit.metrics["train/loss"] = 0.25;
  commit.weights_sha256 = WeightsSha256(shard.weights);
  commit.created = absl::FromUnixSeconds(1'800'000'000);
  const auto result = Commit(files, kFolder, commit);
  REQUIRE(result.ok());
  return result->path;
}

// Sixteen bytes a line, as the document shows them.
std::string HexDump(const std::string& bytes) {
  std::string dump;
  for (size_t at = 0; at < bytes.size(); at += 16) {
    std::string hex, text;
    for (size_t i = at; i < std::min(at + 16, bytes.size()); ++i) {
      const unsigned char byte = static_cast<unsigned char>(bytes[i]);
      absl::StrAppend(&hex, absl::StrFormat("%02x ", byte), i == at + 7 ? " " : "");
      text += byte >= 0x20 && byte < 0x7F ? bytes[i] : '.';
    }
    absl::StrAppend(&dump, absl::StrFormat("%04x  %s %s\n", at, hex, text));
  }
  return dump;
}

TEST_CASE("the example in the document is what the code writes") {
  const auto document = base::PosixFileSystem().ReadFile(kDocument);
  REQUIRE(document.ok());
  base::MemoryFileSystem files;
  const std::string path = MakeExample(files);
  const std::vector<std::string> names = *files.List(path);
  REQUIRE(names.size() == 4);
  for (const std::string& name : names) {
    CAPTURE(name);
    const std::string bytes = *files.ReadFile(base::JoinPath(path, name));
    // Its name and length stand in the listing, and its text or its bytes below.
    const size_t listed = document->find(absl::StrCat("\n  ", name, " "));
    REQUIRE(listed != std::string::npos);
    const std::string line = document->substr(listed, document->find('\n', listed + 1) - listed);
    CHECK_THAT(line, Catch::Contains(absl::StrCat(" ", bytes.size())));
    if (absl::EndsWith(name, ".json")) CHECK_THAT(*document, Catch::Contains(bytes));
    if (absl::StartsWith(name, "weights")) CHECK_THAT(*document, Catch::Contains(HexDump(bytes)));
  }
}

TEST_CASE("the limits in the document are those of the code") {
  const std::string document = *base::PosixFileSystem().ReadFile(kDocument);
  for (const uint64_t limit : {kBlockBytes, kBlockBytesMax}) {
    CHECK_THAT(document, Catch::Contains(absl::StrCat(limit)));
  }
}

}  // namespace
}  // namespace rm::checkpoint
