#include "runtime/worker/oom_watch.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/memory_file_system.h"

namespace rm::worker {
namespace {

void Put(base::FileSystem& files, const std::string& path, const std::string& text) {
  REQUIRE(files.MakeFolders(base::ParentPath(path)).ok());
  REQUIRE(base::WriteFileAtomically(files, path, text).ok());
}

TEST_CASE("the counter of the own cgroup is read, else the machine's") {
  struct File {
    const char* path;
    const char* text;
  };
  struct Case {
    const char* description;
    std::vector<File> files;
    std::optional<int64_t> count;
  };
  const File kVersion2{"/proc/self/cgroup", "0::/user/ranks\n"};
  const File kVersion1{"/proc/self/cgroup", "9:cpu:/c\n4:hugetlb,memory:/ranks\n0::/\n"};
  const File kMachine{"/proc/vmstat", "oom_kill_disable 7\npgfault 12\noom_kill 5\n"};
  const std::vector<Case> cases = {
      {"nothing is told", {}, std::nullopt},
      {"the machine's alone", {kMachine}, 5},
      {"version 2",
       {kVersion2, kMachine, {"/cg/user/ranks/memory.events", "low 0\noom 3\noom_kill 2\n"}},
       2},
      {"version 2 in a container that sees its own part alone",
       {kVersion2, {"/cg/memory.events", "oom 3\noom_kill 4\n"}, kMachine},
       4},
      {"version 1",
       {kVersion1, kMachine, {"/cg/memory/ranks/memory.oom_control", "under_oom 0\noom_kill 9\n"}},
       9},
      {"a cgroup that does not count (an old kernel)",
       {kVersion1, kMachine, {"/cg/memory/ranks/memory.oom_control", "under_oom 0\n"}},
       5},
      {"nonsense is no count", {{"/proc/vmstat", "oom_kill many\noom_kill\n"}}, std::nullopt},
  };
  for (const Case& c : cases) {
    INFO(c.description);
    base::MemoryFileSystem files;
    for (const File& file : c.files) Put(files, file.path, file.text);
    CHECK(SystemOomCounter(files, "/proc", "/cg")() == c.count);
  }
}

TEST_CASE("a counter keeps its source, and follows it") {
  base::MemoryFileSystem files;
  Put(files, "/proc/vmstat", "oom_kill 5\n");
  const OomCounter counter = SystemOomCounter(files, "/proc", "/cg");
  Put(files, "/cg/memory.events", "oom_kill 100\n");
  Put(files, "/proc/vmstat", "oom_kill 6\n");
  CHECK(counter() == 6);
}

TEST_CASE("on this machine the counter can be made and asked") {
  const OomCounter counter = SystemOomCounter(base::PosixFileSystem());
  CHECK(counter() == counter());
}

TEST_CASE("each kill is claimed once") {
  int64_t count = 3;
  OomWatch watch([&] { return count; });
  CHECK_FALSE(watch.Claim(absl::Seconds(1)));  // what was before the start is not ours
  count = 5;
  CHECK(watch.Claim(absl::Seconds(2)));
  CHECK(watch.Claim(absl::Seconds(3)));
  CHECK_FALSE(watch.Claim(absl::Seconds(3)));
}

TEST_CASE("a kill long ago explains no death of today") {
  int64_t count = 0;
  OomWatch watch([&] { return count; });
  count = 1;
  watch.Look(absl::Seconds(10));
  SECTION("but one of a moment ago does") {
    CHECK(watch.Claim(absl::Seconds(10) + OomWatch::kFresh));
  }
  SECTION("it is forgotten") {
    CHECK_FALSE(watch.Claim(absl::Seconds(11) + OomWatch::kFresh));
  }
  SECTION("a count that falls or cannot be read is no kill") {
    count = 0;
    watch.Look(absl::Seconds(11));
    CHECK(watch.Claim(absl::Seconds(12)));
    CHECK_FALSE(watch.Claim(absl::Seconds(12)));
  }
}

TEST_CASE("where nothing is counted nothing is claimed") {
  OomWatch watch([] { return std::optional<int64_t>(); });
  watch.Look(absl::Seconds(1));
  CHECK_FALSE(watch.Claim(absl::Seconds(2)));
}

}  // namespace
}  // namespace rm::worker
