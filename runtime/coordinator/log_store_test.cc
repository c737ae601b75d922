#include "runtime/coordinator/log_store.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/memory_file_system.h"

namespace rm::coordinator {
namespace {

struct Store {
  base::MemoryFileSystem files;
  LogStore logs{"/state/logs", files};

  void Append(int32_t rank, const std::string& worker, int64_t offset, const std::string& data) {
    const absl::Status appended = logs.Append("job", rank, worker, offset, data);
    INFO(appended);
    REQUIRE(appended.ok());
  }
  std::string Text(int32_t rank) { return logs.Read("job", rank, 0, 1 << 20).value(); }
};

TEST_CASE("of a job that logged nothing there is nothing") {
  Store store;
  CHECK(store.logs.Ranks("job").empty());
  CHECK(store.logs.Size("job", 0) == 0);
  CHECK(store.Text(0).empty());
}

TEST_CASE("chunks of a rank make up its log, in a file of its own") {
  Store store;
  store.Append(0, "w1", 0, "one\n");
  store.Append(11, "w2", 0, "eleven\n");
  store.Append(2, "w2", 0, "two\n");
  store.Append(0, "w1", 4, "more\n");
  CHECK(store.Text(0) == "one\nmore\n");
  CHECK(store.files.ReadFile("/state/logs/job/rank_11.log").value() == "eleven\n");
  CHECK(store.logs.Ranks("job") == std::vector<int32_t>{0, 2, 11});
  CHECK(store.logs.Size("job", 0) == 9);
}

TEST_CASE("any part can be read") {
  Store store;
  store.Append(0, "w1", 0, "0123456789");
  CHECK(store.logs.Read("job", 0, 3, 4).value() == "3456");
  CHECK(store.logs.Read("job", 0, 8, 100).value() == "89");
  CHECK(store.logs.Read("job", 0, 10, 100).value().empty());
  CHECK(store.logs.Read("job", 0, 99, 100).value().empty());
}

TEST_CASE("what was sent twice is kept once") {
  Store store;
  store.Append(0, "w1", 0, "abcdef");
  store.Append(0, "w1", 0, "abcdef");
  store.Append(0, "w1", 4, "efgh");
  store.Append(0, "w1", 2, "cd");
  CHECK(store.Text(0) == "abcdefgh");
}

TEST_CASE("what did not come is said") {
  Store store;
  store.Append(0, "w1", 0, "one\n");
  store.Append(0, "w1", 104, "two\n");
  CHECK(store.Text(0) == "one\n[100 bytes of this log did not come from worker w1]\ntwo\n");
}

TEST_CASE("a rank that moved to another worker goes on in the same log") {
  Store store;
  store.Append(0, "w1", 0, "generation 1\n");
  store.Append(0, "w2", 0, "generation 2\n");
  store.Append(0, "w1", 13, "last words\n");
  CHECK(store.Text(0) == "generation 1\ngeneration 2\nlast words\n");
}

TEST_CASE("after a restart the first chunk is taken wherever it stands") {
  Store store;
  store.Append(0, "w1", 0, "before\n");
  LogStore again("/state/logs", store.files);
  REQUIRE(again.Append("job", 0, "w1", 7, "after\n").ok());
  CHECK(store.Text(0) == "before\nafter\n");
}

TEST_CASE("a chunk that names no job of ours writes nothing") {
  Store store;
  for (const char* job : {"", ".", "..", "../x", "a/b", "/etc"}) {
    CAPTURE(job);
    CHECK(absl::IsInvalidArgument(store.logs.Append(job, 0, "w1", 0, "x")));
  }
  CHECK(absl::IsInvalidArgument(store.logs.Append("job", -1, "w1", 0, "x")));
  CHECK(absl::IsInvalidArgument(store.logs.Append("job", 0, "w1", -1, "x")));
  CHECK(store.files.operations() == 0);
}

TEST_CASE("a full disk is said, and the lost bytes are marked when there is room again") {
  Store store;
  store.Append(0, "w1", 0, "one\n");
  store.files.SetCapacity(4);
  CHECK(absl::IsResourceExhausted(store.logs.Append("job", 0, "w1", 4, "two\n")));
  store.files.SetCapacity(1 << 20);
  store.Append(0, "w1", 8, "three\n");
  CHECK(store.Text(0) == "one\n[4 bytes of this log did not come from worker w1]\nthree\n");
}

TEST_CASE("a job that has ended is known to have ended") {
  Store store;
  CHECK_FALSE(store.logs.IsEnded("job"));
  store.logs.MarkEnded("job");
  CHECK(store.logs.IsEnded("job"));
}

TEST_CASE("of a forgotten job nothing is held but its files") {
  Store store;
  for (const char* const job : {"job", "job-2", "another"}) {
    for (const int32_t rank : {0, 1}) REQUIRE(store.logs.Append(job, rank, "w", 100, "abc\n").ok());
    store.logs.MarkEnded(job);
  }
  store.logs.Forget("job");
  CHECK_FALSE(store.logs.IsEnded("job"));
  CHECK(store.logs.IsEnded("job-2"));
  CHECK(store.logs.Ranks("job") == std::vector<int32_t>{0, 1});
  // Where its next byte stood is not known any more, so the chunk is taken wherever it stands; of the others it is.
  REQUIRE(store.logs.Append("job", 1, "w", 0, "xyz\n").ok());
  CHECK(store.logs.Size("job", 1) == 8);
  REQUIRE(store.logs.Append("job-2", 1, "w", 100, "abc\n").ok());
  CHECK(store.logs.Size("job-2", 1) == 4);
}

}  // namespace
}  // namespace rm::coordinator
