#include "tools/trainctl/local_cluster.h"

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file_system.h"
#include "base/temporary_folder.h"

namespace rm::trainctl {
namespace {

using absl::StrContains;

bool Never() { return false; }

// A folder for a cluster of fake daemons; whatever runs at the end is stopped.
struct World {
  base::TemporaryFolder temporary;
  std::string folder = temporary.File("made/by/up");
  LocalClusterOptions options;
  LocalCluster cluster{folder};

  explicit World(const char* wish = "") {
    ::setenv("FAKE_DAEMON", wish, 1);
    options.program = std::filesystem::absolute("tools/trainctl/fake_daemon_for_test").string();
    options.folder = folder;
  }
  ~World() { StopDaemons(cluster.Recorded(), absl::ZeroDuration()).IgnoreError(); }

  [[nodiscard]] std::string Read(const std::string& name) const {
    const auto text = base::PosixFileSystem().ReadFile(folder + "/" + name);
    return text.ok() ? *text : "(none)";
  }
};

TEST_CASE("up starts a coordinator and its workers, waits for them and remembers them") {
  World world;
  world.options.workers = 3;
  const auto address = world.cluster.Up(world.options, &Never);
  REQUIRE(address.ok());
  CHECK(absl::StartsWith(*address, "127.0.0.1:"));
  CHECK(world.Read("address") == *address + "\n127.0.0.1:1\n");
  std::vector<std::string> names;
  for (const Daemon& daemon : world.cluster.Alive()) names.push_back(daemon.name);
  CHECK(names == std::vector<std::string>{"coordinator", "worker-1", "worker-2", "worker-3"});
  CHECK(FormatDaemons(world.cluster.Recorded()) == world.Read("pids"));
  SECTION("a second up leaves it as it is") {
    const std::string before = world.Read("pids");
    LocalCluster other(world.folder);
    CHECK(*other.Up(world.options, &Never) == *address);
    CHECK(world.Read("pids") == before);
  }
  SECTION("down stops all of it and forgets it; what it knew of jobs stays") {
    const std::vector<Daemon> daemons = world.cluster.Alive();
    LocalCluster other(world.folder);
    CHECK(other.Down().ok());
    for (const Daemon& daemon : daemons) CHECK_FALSE(daemon.IsAlive());
    CHECK(world.Read("address") == "(none)");
    CHECK(world.Read("pids") == "(none)");
    CHECK(base::PosixFileSystem().Exists(world.folder + "/worker-1"));
    CHECK(other.Down().ok());
    CHECK(other.Up(world.options, &Never).ok());  // and it can be brought up again
    CHECK(other.Alive().size() == 4);
  }
}

std::vector<std::string> NamesOf(const std::vector<Daemon>& daemons) {
  std::vector<std::string> names;
  for (const Daemon& daemon : daemons) names.push_back(daemon.name);
  return names;
}

TEST_CASE("what has died of a cluster is started again, and the rest of it stays as it is") {
  const struct {
    std::vector<size_t> victims;  // by their place in the list
    std::vector<std::string> names;
  } cases[] = {
      {{1}, {"worker-1"}},
      {{2}, {"worker-2"}},
      {{0}, {"coordinator"}},
      {{0, 2}, {"coordinator", "worker-2"}},
  };
  for (const auto& c : cases) {
    World world;
    const auto address = world.cluster.Up(world.options, &Never);
    REQUIRE(address.ok());
    const std::vector<Daemon> before = world.cluster.Alive();
    for (const size_t victim : c.victims) {
      REQUIRE(StopDaemons({before.at(victim)}, absl::ZeroDuration()).ok());
    }
    LocalCluster other(world.folder);
    CHECK(NamesOf(other.Missing()) == c.names);
    // Where the others know it: a coordinator elsewhere would be another cluster.
    const auto again = other.Up(world.options, &Never);
    REQUIRE(again.ok());
    CHECK(*again == *address);
    CHECK(other.Missing().empty());
    const std::vector<Daemon> after = other.Alive();
    REQUIRE(NamesOf(after) == NamesOf(before));
    for (size_t i = 0; i < before.size(); ++i) {
      const bool died = std::count(c.victims.begin(), c.victims.end(), i) > 0;
      CHECK((after[i].pid != before[i].pid) == died);
    }
    CHECK(other.Down().ok());
    for (const Daemon& daemon : after) CHECK_FALSE(daemon.IsAlive());
  }
}

TEST_CASE("a cluster that cannot be mended keeps what still runs, and its list") {
  World world;
  REQUIRE(world.cluster.Up(world.options, &Never).ok());
  REQUIRE(StopDaemons({world.cluster.Alive().at(2)}, absl::ZeroDuration()).ok());
  const std::string list = world.Read("pids");
  ::setenv("FAKE_DAEMON", "worker-fails", 1);
  // Until the dead one's mark is gone, its successor seems ready before it has said anything.
  REQUIRE(base::PosixFileSystem().RemoveFile(world.folder + "/worker-2/up").ok());
  LocalCluster other(world.folder);
  const absl::Status status = other.Up(world.options, &Never).status();
  CHECK(absl::StartsWith(status.message(), "worker-2 ended at its start"));
  CHECK(world.Read("pids") == list);
  CHECK(NamesOf(other.Alive()) == std::vector<std::string>{"coordinator", "worker-1"});
  CHECK(NamesOf(other.Missing()) == std::vector<std::string>{"worker-2"});
}

TEST_CASE("a daemon that does not come up ends the rest, and its last words are quoted") {
  const struct {
    const char* wish;
    std::string name;
    std::string words;
  } cases[] = {
      {"coordinator-fails", "coordinator", "the coordinator has no port"},
      {"worker-fails", "worker-1", "the worker has no port"},
  };
  for (const auto& c : cases) {
    World world(c.wish);
    const absl::Status status = world.cluster.Up(world.options, &Never).status();
    CAPTURE(status.ToString());
    CHECK(absl::IsInternal(status));
    CHECK(absl::StartsWith(status.message(), c.name + " ended at its start"));
    CHECK(StrContains(status.message(), absl::StrCat(world.folder, "/", c.name, ".log")));
    CHECK(StrContains(status.message(), c.words));
    CHECK(world.cluster.Recorded().empty());
    CHECK(world.Read("address") == "(none)");
  }
}

TEST_CASE("an interrupt while it comes up ends what was started") {
  for (const char* wish : {"coordinator-hangs", "worker-hangs"}) {
    World world(wish);
    // What is there when it has waited a few times: it is to be gone afterwards.
    std::vector<Daemon> seen;
    int asked = 0;
    const auto interrupted = [&] {
      seen = world.cluster.Alive();
      return ++asked > 3 && seen.size() == (std::string(wish) == "worker-hangs" ? 3U : 1U);
    };
    const absl::Status status = world.cluster.Up(world.options, interrupted).status();
    CAPTURE(wish);
    CHECK(absl::IsCancelled(status));
    CHECK_FALSE(seen.empty());
    for (const Daemon& daemon : seen) CHECK_FALSE(daemon.IsAlive());
    CHECK(world.cluster.Recorded().empty());
  }
}

TEST_CASE("a stale list of processes stops nobody and keeps nothing from starting") {
  World world;
  REQUIRE(world.cluster.Up(world.options, &Never).ok());
  std::vector<Daemon> daemons = world.cluster.Alive();
  REQUIRE(world.cluster.Down().ok());
  // As after a power cut: the list is there, the pids are other processes' now (one of them ours).
  daemons[0].pid = ::getpid();
  daemons[0].start_ticks += 1;
  REQUIRE(base::WriteFileAtomically(base::PosixFileSystem(), world.folder + "/pids",
                                    FormatDaemons(daemons))
              .ok());
  CHECK(world.cluster.Alive().empty());
  CHECK(LocalCluster(world.folder).Down().ok());  // and we are still here
  CHECK(LocalCluster(world.folder).Up(world.options, &Never).ok());
}

TEST_CASE("down where nothing ever was is fine, and makes nothing") {
  World world;
  CHECK(world.cluster.Down().ok());
  CHECK_FALSE(base::PosixFileSystem().Exists(world.folder));
}

TEST_CASE("a folder that cannot be used is said") {
  World world;
  REQUIRE(base::WriteFileAtomically(base::PosixFileSystem(), world.temporary.File("made"), "").ok());
  const absl::Status status = world.cluster.Up(world.options, &Never).status();
  CHECK_FALSE(status.ok());
  CHECK(StrContains(status.message(), "made"));
}

}  // namespace
}  // namespace rm::trainctl
