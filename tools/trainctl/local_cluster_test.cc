#include "tools/trainctl/local_cluster.h"

#include <unistd.h>

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

TEST_CASE("a cluster of which a part has died is neither taken for whole nor started twice") {
  World world;
  REQUIRE(world.cluster.Up(world.options, &Never).ok());
  const Daemon victim = world.cluster.Alive().at(1);
  REQUIRE(StopDaemons({victim}, absl::ZeroDuration()).ok());
  LocalCluster other(world.folder);
  const absl::Status status = other.Up(world.options, &Never).status();
  CHECK(absl::IsFailedPrecondition(status));
  CHECK(StrContains(status.message(), "worker-1 has died"));
  CHECK(StrContains(status.message(), "trainctl cluster down --dir " + world.folder));
  CHECK(other.Alive().size() == 2);
  CHECK(other.Down().ok());
  CHECK(other.Up(world.options, &Never).ok());
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
