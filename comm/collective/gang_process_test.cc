// Gangs with a rank in another process, which dies, or leaves in order.
#include <catch2/catch.hpp>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/status.h"
#include "comm/collective/gang_testing.h"

extern char** environ;

namespace rm::comm {
namespace {

// The program of vanishing_rank.cc as a child.
class Child {
 public:
  Child(const char* manner, std::string transport) {
    int in[2];
    int out[2];
    // Not inherited: else the child would hold its own pipe open.
    REQUIRE(pipe2(in, O_CLOEXEC) == 0);
    REQUIRE(pipe2(out, O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    std::string program = "comm/collective/vanishing_rank";
    std::string argument = manner;
    char* const argv[] = {&program[0], &argument[0], &transport[0], nullptr};
    REQUIRE(posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    to_child_ = in[1];
    from_child_ = out[0];
  }
  ~Child() {
    close(to_child_);
    close(from_child_);
    if (pid_ > 0) static_cast<void>(Kill());
  }

  std::string ReadLine() {
    std::string line;
    char c = 0;
    while (read(from_child_, &c, 1) == 1 && c != '\n') line.push_back(c);
    return line;
  }

  void WriteLine(const std::string& line) {
    const std::string text = line + "\n";
    REQUIRE(write(to_child_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }

  int Kill() {
    kill(pid_, SIGKILL);
    return Wait();
  }

  void Signal(int signal) const { kill(pid_, signal); }

  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return status;
  }

 private:
  pid_t pid_ = 0;
  int to_child_ = -1;
  int from_child_ = -1;
};

// Gives the child its address in the gang and its membership.
void Admit(TestGang& gang, int rank, int64_t generation, Child& child) {
  gang.SetAddress(rank, child.ReadLine());
  const Membership membership = gang.MembershipOf(rank, generation);
  child.WriteLine(absl::StrCat(membership.job, " ", generation, " ", rank, " ",
                               absl::StrJoin(membership.peers, " ")));
}

std::vector<int> AllBut(int world_size, int missing) {
  std::vector<int> ranks;
  for (int rank = 0; rank < world_size; ++rank) {
    if (rank != missing) ranks.push_back(rank);
  }
  return ranks;
}

TEST_CASE("a rank that is killed in an allreduce is named by all others, at once") {
  const std::string transport = GENERATE("grpc", "shm", "tcp");
  for (const int world_size : {2, 3, 5}) {
    const int victim = world_size / 2;
    INFO("rank " << victim << " of " << world_size);
    TestGang gang(transport, world_size);
    Child child("STUCK", transport);
    Admit(gang, victim, 1, child);
    Meeting started(world_size - 1);
    absl::Time killed;
    const auto outcomes = gang.RunRanks(
        AllBut(world_size, victim), 1, absl::Seconds(30), [&](Communicator& rank) -> absl::Status {
          RM_RETURN_IF_ERROR(rank.AllocateBuckets({4 << 20}).status());
          RM_RETURN_IF_ERROR(rank.Barrier());
          rank.AllReduce(0);
          started.Wait();
          if (rank.rank() == (victim + 1) % world_size) {
            if (child.ReadLine() != "ready") return absl::InternalError("not ready");
            killed = absl::Now();
            child.Kill();
          }
          return rank.WaitAll();
        });
    CHECK(absl::Now() - killed < absl::Seconds(3));
    for (const absl::Status& outcome : outcomes) {
      CHECK(absl::IsAborted(outcome));
      CHECK_THAT(std::string(outcome.message()),
                 Catch::Contains(absl::StrCat("lost rank ", victim, " during allreduce 1")));
    }
  }
}

// What the process of a rank may suffer in the middle of an allreduce.
enum class Fate { kKilled, kStopped };

// One rank of four is a process that reduces a large bucket again and again with the others; in the middle of it `fate`
// strikes. How long it took from then until the last of the others was out and its communicator gone.
absl::Duration StrikeInTheMiddle(const std::string& transport, Fate fate,
                                 std::vector<absl::Status>* outcomes) {
  constexpr int64_t kElements = 4 << 20;  // as vanishing_rank has it
  constexpr int kVictim = 2;
  TestGang gang(transport, 4);
  Child child("REDUCING", transport);
  Admit(gang, kVictim, 1, child);
  std::atomic<int64_t> struck_nanos{0};
  *outcomes = gang.RunRanks({0, 1, 3}, 1, absl::Seconds(30), [&](Communicator& rank) -> absl::Status {
    RM_RETURN_IF_ERROR(rank.Barrier());
    RM_RETURN_IF_ERROR(rank.AllocateBuckets({kElements}).status());
    for (int round = 0;; ++round) {
      rank.AllReduce(0);
      if (round == 2 && rank.rank() == 0) {
        // Two rounds have gone well, so the child reduces; the third has begun.
        child.Signal(fate == Fate::kKilled ? SIGKILL : SIGSTOP);
        struck_nanos = absl::GetCurrentTimeNanos();
        // Nobody sees a process that is stopped but its worker: somebody has to say so.
        if (fate == Fate::kStopped) rank.Abort(absl::AbortedError("rank 2 hangs"));
      }
      RM_RETURN_IF_ERROR(rank.WaitAll());
    }
  });
  return absl::Nanoseconds(absl::GetCurrentTimeNanos() - struck_nanos);
}

TEST_CASE("when a rank is killed in the middle of an allreduce all others are out within a second") {
  const std::string transport = GENERATE("grpc", "shm", "tcp");
  std::vector<absl::Status> outcomes;
  const absl::Duration took = StrikeInTheMiddle(transport, Fate::kKilled, &outcomes);
  WARN("out " << absl::FormatDuration(took) << " after the kill");
  CHECK(took < absl::Seconds(1));
  for (const absl::Status& outcome : outcomes) {
    CHECK(absl::IsAborted(outcome));
    CHECK_THAT(std::string(outcome.message()), Catch::Contains("lost rank 2 during allreduce"));
  }
}

TEST_CASE("a peer that is stopped does not hold up ranks that give up, nor the end of their communicators") {
  const std::string transport = GENERATE("grpc", "shm", "tcp");
  std::vector<absl::Status> outcomes;
  const absl::Duration took = StrikeInTheMiddle(transport, Fate::kStopped, &outcomes);
  WARN("out " << absl::FormatDuration(took) << " after the abort");
  CHECK(took < absl::Seconds(1));
  // The abort travels the ring both ways, so it comes past the one that passes nothing on.
  for (const absl::Status& outcome : outcomes) {
    CHECK(absl::IsAborted(outcome));
    CHECK_THAT(std::string(outcome.message()), Catch::Contains("rank 2 hangs"));
  }
}

TEST_CASE("survivors go on in the next generation, with a newcomer") {
  const std::string transport = GENERATE("grpc", "shm", "tcp");
  TestGang gang(transport, 3);
  Child first("STUCK", transport);
  Admit(gang, 1, 1, first);
  const auto outcomes =
      gang.RunRanks({0, 2}, 1, absl::Seconds(30), [&](Communicator& rank) -> absl::Status {
        RM_RETURN_IF_ERROR(rank.Barrier());
        if (rank.rank() == 0) first.Kill();
        return rank.Barrier();
      });
  for (const absl::Status& outcome : outcomes) CHECK(absl::IsAborted(outcome));
  Child second("ORDERLY", transport);
  Admit(gang, 1, 2, second);
  CHECK(AllOk(gang.RunRanks({0, 2}, 2, absl::Seconds(30), [](Communicator& rank) {
          return rank.Barrier();
        })) == absl::OkStatus());
  CHECK(second.Wait() == 0);
}

TEST_CASE("a process that exits after the last barrier disturbs nobody") {
  const std::string transport = GENERATE("grpc", "shm", "tcp");
  for (int round = 0; round < 10; ++round) {
    TestGang gang(transport, 3);
    Child child("ORDERLY", transport);
    Admit(gang, 2, 1, child);
    CHECK(AllOk(gang.RunRanks({0, 1}, 1, absl::Seconds(30), [](Communicator& rank) {
            return rank.Barrier();
          })) == absl::OkStatus());
    CHECK(child.Wait() == 0);
  }
}

}  // namespace
}  // namespace rm::comm
