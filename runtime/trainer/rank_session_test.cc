#include "runtime/trainer/rank_session.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/frame_socket.h"
#include "base/memory_file_system.h"
#include "comm/collective/gang.h"
#include "runtime/trainer/trainer_testing.h"

namespace rm::trainer {
namespace {

namespace pb = ::ringmaster::v1;

// A rank session on a thread, and the worker's end of its socket.
class Rank {
 public:
  explicit Rank(base::FileSystem& files) {
    RM_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets_.data()) == 0);
    session_ = std::make_unique<RankSession>(sockets_[1], files, [this] { worker_gone_ = true; });
    thread_ = std::thread([this] {
      status_ = session_->Run();
      ::shutdown(sockets_[1], SHUT_WR);  // as the end of its process would
    });
  }
  ~Rank() {
    if (thread_.joinable()) thread_.join();
    session_.reset();
    ::close(sockets_[0]);
    ::close(sockets_[1]);
  }

  void Send(const pb::RankCommand& command) const {
    RM_CHECK(base::WriteFrame(sockets_[0], command.SerializeAsString()).ok());
  }
  void Start(const pb::RankStart& start) const {
    pb::RankCommand command;
    *command.mutable_start() = start;
    Send(command);
  }
  void Stop(bool checkpoint) const {
    pb::RankCommand command;
    command.mutable_stop()->set_checkpoint(checkpoint);
    Send(command);
  }
  // The next message that is no activity; nothing at the end of the session.
  pb::RankMessage Next() const {
    pb::RankMessage message = NextOfAnyKind();
    while (message.has_activity()) message = NextOfAnyKind();
    return message;
  }
  pb::RankMessage NextOfAnyKind() const {
    pb::RankMessage message;
    const auto bytes = base::ReadFrame(sockets_[0]);
    if (bytes.ok()) RM_CHECK(message.ParseFromString(*bytes));
    return message;
  }
  // Messages until the session has ended.
  std::vector<pb::RankMessage> Rest() const {
    std::vector<pb::RankMessage> messages;
    for (;;) {
      pb::RankMessage message = Next();
      if (message.message_case() == pb::RankMessage::MESSAGE_NOT_SET) return messages;
      messages.push_back(std::move(message));
    }
  }
  void HangUp() const { ::shutdown(sockets_[0], SHUT_RDWR); }
  absl::Status End() {
    if (thread_.joinable()) thread_.join();
    return status_;
  }
  [[nodiscard]] bool worker_gone() const { return worker_gone_; }

 private:
  std::array<int, 2> sockets_{-1, -1};
  std::unique_ptr<RankSession> session_;
  std::thread thread_;
  absl::Status status_;
  std::atomic<bool> worker_gone_{false};
};

// A gang of sessions over a small job, introduced to each other as the coordinator would.
struct Gang {
  base::MemoryFileSystem files;
  pb::JobSpec spec = SmallJob();
  std::vector<std::unique_ptr<Rank>> ranks;

  Gang() {
    WriteDigits(files, "/data/train", 96, 6);
    WriteDigits(files, "/data/test", 30, 6);
    spec.mutable_communication()->set_transport("loopback");
  }

  void Start(int count, int64_t generation = 1) {
    pb::RankCommand introduction;
    introduction.mutable_start_generation()->set_generation(generation);
    for (int r = 0; r < count; ++r) {
      ranks.push_back(std::make_unique<Rank>(files));
      ranks.back()->Start(StartOf(spec, r, count, generation));
      const pb::RankMessage first = ranks.back()->Next();
      REQUIRE(first.has_listening());
      introduction.mutable_start_generation()->add_peers(first.listening().address());
    }
    for (const auto& rank : ranks) rank->Send(introduction);
  }
};

// The last message of a kind.
template <typename Has>
const pb::RankMessage* Last(const std::vector<pb::RankMessage>& messages, Has has) {
  const pb::RankMessage* found = nullptr;
  for (const pb::RankMessage& message : messages) {
    if (has(message)) found = &message;
  }
  return found;
}

TEST_CASE("a session goes from listening over joined, progress and commits to finished") {
  Gang gang;
  gang.Start(2);
  std::vector<std::vector<pb::RankMessage>> said(2);
  std::thread other([&] { said[1] = gang.ranks[1]->Rest(); });
  said[0] = gang.ranks[0]->Rest();
  other.join();
  for (size_t r = 0; r < 2; ++r) {
    CHECK(gang.ranks[r]->End().ok());
    REQUIRE(said[r].size() >= 3);
    CHECK(said[r].front().has_joined());
    CHECK(said[r].front().joined().first_step() == 0);
    REQUIRE(said[r].back().has_finished());
    CHECK(said[r].back().finished().step() == 32);
    CHECK(said[r].back().finished().weights_sha256() ==
          said[0].back().finished().weights_sha256());
    const auto* progress =
        Last(said[r], [](const pb::RankMessage& m) { return m.has_progress(); });
    REQUIRE(progress != nullptr);
    CHECK(progress->progress().step() == 32);
  }
  const auto* commit = Last(said[0], [](const pb::RankMessage& m) { return m.has_committed(); });
  REQUIRE(commit != nullptr);
  CHECK(commit->committed().path() == "/checkpoints/step-000000000032-g1");
  const auto* evaluated = Last(said[0], [](const pb::RankMessage& m) { return m.has_evaluated(); });
  REQUIRE(evaluated != nullptr);
  CHECK(evaluated->evaluated().metrics().count("validation/accuracy") == 1);
  CHECK(Last(said[1], [](const pb::RankMessage& m) { return m.has_committed(); }) == nullptr);
  const auto metrics = gang.files.ReadFile("/checkpoints/metrics.jsonl");
  REQUIRE(metrics.ok());
  CHECK(metrics->find("\"validation/accuracy\"") != std::string::npos);
}

TEST_CASE("a stop with a checkpoint leaves a checkpoint and finishes early on every rank") {
  Gang gang;
  gang.spec.mutable_train()->set_steps(int64_t{1} << 40);
  gang.Start(2);
  while (!gang.ranks[0]->Next().has_progress()) {
  }
  gang.ranks[0]->Stop(/*checkpoint=*/true);  // one is enough
  std::thread other([&] { gang.ranks[1]->Rest(); });
  const auto said = gang.ranks[0]->Rest();
  other.join();
  REQUIRE(said.back().has_finished());
  CHECK(said.back().finished().stopped());
  const auto* commit = Last(said, [](const pb::RankMessage& m) { return m.has_committed(); });
  REQUIRE(commit != nullptr);
  CHECK(commit->committed().step() == said.back().finished().step());
}

TEST_CASE("a rank that waits for its peers goes on saying so, and which collective it waits in") {
  Gang gang;
  gang.ranks.push_back(std::make_unique<Rank>(gang.files));
  Rank& rank = *gang.ranks.back();
  rank.Start(StartOf(gang.spec, 0, 2));
  // Its peer joins, and then enters no collective.
  comm::EndpointOptions options;
  options.transport = "loopback";
  auto peer = comm::OpenEndpoint(options);
  REQUIRE(peer.ok());
  comm::Membership membership;
  membership.job = "test";
  membership.generation = 1;
  membership.rank = 1;
  membership.peers = {rank.Next().listening().address(), (*peer)->address()};
  pb::RankCommand introduction;
  introduction.mutable_start_generation()->set_generation(1);
  for (const std::string& address : membership.peers) {
    introduction.mutable_start_generation()->add_peers(address);
  }
  rank.Send(introduction);
  auto communicator = (*peer)->Join(membership);
  REQUIRE(communicator.ok());
  pb::Activity activity;
  while (activity.entered() == 0) activity = rank.NextOfAnyKind().activity();
  CHECK(activity.doing() == "loading");  // it tells its peer the plan
  CHECK(activity.entered() == 1);
  CHECK(activity.left() == 0);
  const pb::Activity later = rank.NextOfAnyKind().activity();
  CHECK(later.entered() == 1);
  CHECK(later.left() == 0);
  communicator->reset();
  CHECK(absl::IsAborted(rank.End()));
}

TEST_CASE("a rank that fails says why, and its peers say that they lost it") {
  Gang gang;
  (*gang.spec.mutable_train()->mutable_optimizer()->mutable_params())["lr"] = 1e30;
  gang.Start(2);
  std::vector<std::vector<pb::RankMessage>> said(2);
  std::thread other([&] { said[1] = gang.ranks[1]->Rest(); });
  said[0] = gang.ranks[0]->Rest();
  other.join();
  int causes = 0;
  for (size_t r = 0; r < 2; ++r) {
    REQUIRE(said[r].back().has_failed());
    const std::string code = said[r].back().failed().reason().code();
    CHECK((code == "NonFiniteLoss" || code == "PeerLost"));
    causes += code == "NonFiniteLoss" ? 1 : 0;
    CHECK(absl::IsAborted(gang.ranks[r]->End()) == (code == "PeerLost"));
  }
  CHECK(causes >= 1);
}

TEST_CASE("damage that rank 0 alone finds is its own failure, and a lost peer to the others") {
  Gang gang;
  gang.spec.mutable_train()->set_steps(2);
  gang.Start(1);
  gang.ranks[0]->Rest();
  gang.ranks.clear();
  REQUIRE(base::WriteFileAtomically(gang.files, "/checkpoints/step-000000000002-g1/manifest.json",
                                    "{}").ok());
  gang.Start(2, /*generation=*/2);
  std::vector<pb::RankMessage> other;
  std::thread reader([&] { other = gang.ranks[1]->Rest(); });
  const auto said = gang.ranks[0]->Rest();
  reader.join();
  REQUIRE(said.back().has_failed());
  CHECK(said.back().failed().reason().code() == "CheckpointDamaged");
  CHECK_FALSE(absl::IsAborted(gang.ranks[0]->End()));
  REQUIRE(other.back().has_failed());
  CHECK(other.back().failed().reason().code() == "PeerLost");
  CHECK_THAT(other.back().failed().reason().sentence(),
             Catch::StartsWith("rank 0 failed: CheckpointDamaged: of the checkpoints in /checkpoints (1) none is whole"));
  CHECK(absl::IsAborted(gang.ranks[1]->End()));  // exit code 75
}

TEST_CASE("input that does not exist is the user's to mend") {
  Gang gang;
  gang.spec.mutable_data()->mutable_train()->set_path("/data/nothing");
  gang.Start(1);
  const auto said = gang.ranks[0]->Rest();
  REQUIRE(said.back().has_failed());
  CHECK(said.back().failed().reason().code() == "BadInput");
  CHECK(said.back().failed().reason().sentence().find("/data/nothing") != std::string::npos);
}

TEST_CASE("a generation that is not its own is ignored, a stop before the start ends it") {
  Gang gang;
  gang.ranks.push_back(std::make_unique<Rank>(gang.files));
  Rank& rank = *gang.ranks.back();
  rank.Start(StartOf(gang.spec, 0, 1, /*generation=*/3));
  REQUIRE(rank.Next().has_listening());
  pb::RankCommand stale;
  stale.mutable_start_generation()->set_generation(2);
  rank.Send(stale);
  rank.Stop(/*checkpoint=*/true);
  const auto said = rank.Rest();
  REQUIRE(said.size() == 1);
  CHECK(said.back().failed().reason().code() == "Stopped");
}

TEST_CASE("a worker that hangs up before the start ends the session") {
  Gang gang;
  gang.ranks.push_back(std::make_unique<Rank>(gang.files));
  gang.ranks.back()->HangUp();
  CHECK_FALSE(gang.ranks.back()->End().ok());
}

}  // namespace
}  // namespace rm::trainer
