// Windows as ranks use them, over whole transports; and peers that say on a line for windows what no
// rank would say.
#include "comm/transport/shm_windows.h"

#include <catch2/catch.hpp>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "base/random.h"
#include "comm/transport/frame.h"
#include "comm/transport/shm_endpoint.h"
#include "comm/transport/shm_link.h"
#include "comm/transport/shm_socket.h"
#include "comm/transport/shm_transport.h"

namespace rm::comm {
namespace {

constexpr char kJob[] = "windows-test";

std::unique_ptr<TransportEndpoint> Open() {
  auto endpoint = OpenShmEndpoint({});
  REQUIRE(endpoint.ok());
  return *std::move(endpoint);
}

// Ranks of this process that share windows and nothing else.
struct SharingRanks {
  explicit SharingRanks(int count) {
    for (int rank = 0; rank < count; ++rank) {
      endpoints.push_back(Open());
      addresses.push_back(endpoints.back()->address());
    }
  }
  ~SharingRanks() {
    std::vector<std::thread> leaving;
    for (auto& transport : transports) leaving.emplace_back([&transport] { transport.reset(); });
    for (std::thread& thread : leaving) thread.join();
  }
  void Connect(int rank) {
    TransportMembership membership;
    membership.job = kJob;
    membership.generation = 1;
    membership.rank = rank;
    membership.addresses = addresses;
    for (int peer = 0; peer < static_cast<int>(addresses.size()); ++peer) {
      if (peer != rank) membership.share_with.push_back(peer);
    }
    transports.resize(addresses.size());
    transports[static_cast<size_t>(rank)] =
        *endpoints[static_cast<size_t>(rank)]->Connect(membership);
  }
  [[nodiscard]] SharedWindows& windows(int rank) {
    return *transports[static_cast<size_t>(rank)]->windows();
  }

  std::vector<std::unique_ptr<TransportEndpoint>> endpoints;
  std::vector<std::string> addresses;
  std::vector<std::unique_ptr<Transport>> transports;
};

// What lies in a window of these tests.
struct Board {
  std::atomic<uint64_t> count{0};
  char text[64] = {};
};

TEST_CASE("what a rank writes into its window, its peers read, whoever came first") {
  SharingRanks ranks(3);
  // 0 and 1 meet, 0 opens, 2 comes later; 1 opens last, and two windows.
  ranks.Connect(0);
  const auto own = ranks.windows(0).Open(0, sizeof(Board));
  REQUIRE(own.ok());
  std::strcpy(reinterpret_cast<Board*>(own->data())->text, "from 0");
  ranks.Connect(1);
  ranks.Connect(2);
  CHECK(std::string(ranks.windows(2).Of(0, 0)->data() + offsetof(Board, text)) == "from 0");
  REQUIRE(ranks.windows(1).Open(5, 10000).ok());
  const auto late = ranks.windows(1).Open(2, 70);
  REQUIRE(late.ok());
  (*late)[69] = 'z';
  for (const int reader : {0, 2}) {
    const auto seen = ranks.windows(reader).Of(1, 2);
    REQUIRE(seen.ok());
    CHECK(seen->size() == 70);
    CHECK((*seen)[69] == 'z');
    CHECK(ranks.windows(reader).Of(1, 5)->size() == 10000);
  }
  CHECK(std::vector<int>(ranks.windows(1).ranks().begin(), ranks.windows(1).ranks().end()) ==
        std::vector<int>({0, 1, 2}));
}

TEST_CASE("a ring ends the wait of a peer that sleeps, ten thousand times") {
  constexpr uint64_t kRounds = 10000;
  SharingRanks ranks(2);
  ranks.Connect(0);
  ranks.Connect(1);
  const auto play = [&](int rank) -> absl::Status {
    auto own = ranks.windows(rank).Open(0, sizeof(Board));
    if (!own.ok()) return own.status();
    auto* const mine = reinterpret_cast<Board*>(own->data());
    auto theirs = ranks.windows(rank).Of(1 - rank, 0);
    if (!theirs.ok()) return theirs.status();
    const auto* const other = reinterpret_cast<const Board*>(theirs->data());
    for (uint64_t round = 1; round <= kRounds; ++round) {
      mine->count.store(round);
      ranks.windows(rank).Ring();
      const absl::Status come =
          ranks.windows(rank).WaitUntil([&] { return other->count.load() >= round; });
      if (!come.ok()) return come;
    }
    return absl::OkStatus();
  };
  absl::Status played;
  std::thread peer([&] { played = play(1); });
  CHECK(play(0) == absl::OkStatus());
  peer.join();
  CHECK(played == absl::OkStatus());
}

TEST_CASE("a peer cannot write into a window") {
  SharingRanks ranks(2);
  ranks.Connect(0);
  ranks.Connect(1);
  REQUIRE(ranks.windows(0).Open(0, 100).ok());
  const auto seen = ranks.windows(1).Of(0, 0);
  REQUIRE(seen.ok());
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGSEGV, SIG_DFL);  // the test's own handler would report it
    const_cast<char*>(seen->data())[0] = 'x';
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  CHECK((*seen)[0] == '\0');
}

TEST_CASE("a wait ends when this rank or a peer aborts, with the cause") {
  for (const int who : {0, 1}) {
    SharingRanks ranks(2);
    ranks.Connect(0);
    ranks.Connect(1);
    absl::Status ended;
    std::thread waiter([&] { ended = ranks.windows(0).WaitUntil([] { return false; }); });
    ranks.transports[static_cast<size_t>(who)]->Abort(absl::AbortedError("stop here"));
    waiter.join();
    CHECK(ended == absl::AbortedError("stop here"));
    CHECK(ranks.windows(0).Of(1, 3).status() == absl::AbortedError("stop here"));
    // What is there already counts all the same.
    CHECK(ranks.windows(0).WaitUntil([] { return true; }).ok());
  }
}

TEST_CASE("a peer that leaves is named by who still needs it, and disturbs nobody else") {
  SharingRanks ranks(2);
  ranks.Connect(0);
  ranks.Connect(1);
  const auto own = ranks.windows(1).Open(0, sizeof(Board));
  REQUIRE(own.ok());
  const auto seen = ranks.windows(0).Of(1, 0);
  REQUIRE(seen.ok());
  reinterpret_cast<Board*>(own->data())->count = 7;
  ranks.transports[1].reset();
  const auto* const board = reinterpret_cast<const Board*>(seen->data());
  CHECK(ranks.windows(0).WaitUntil([&] { return board->count.load() == 7; }).ok());
  CHECK(ranks.transports[0]->status().ok());
  ranks.transports[0]->SetActivity({"barrier", 4});
  const absl::Status ended =
      ranks.windows(0).WaitUntil([&] { return board->count.load() == 8; });
  CHECK(absl::IsAborted(ended));
  CHECK_THAT(std::string(ended.message()), Catch::Contains("rank 1 has left"));
  CHECK(ranks.transports[0]->status() == ended);
}

// Plays rank 0 on a line for windows to rank 1, by hand.
class RawSharer {
 public:
  RawSharer()
      : endpoint_(Open()), bell_(*SharedDoorbell::Create()), memory_(*ShmMemory::Create(4096, 0)) {
    TransportMembership membership;
    membership.job = kJob;
    membership.generation = 1;
    membership.rank = 1;
    membership.addresses = {"nowhere", endpoint_->address()};
    membership.share_with = {0};
    transport_ = *endpoint_->Connect(membership);
    socket_ = *ConnectTo(*ShmSocketName(endpoint_->address()));
  }

  void Say(FrameKind kind, const std::string& payload, int fd) {
    FrameHeader header;
    header.kind = kind;
    header.route = {base::StableHash(kJob), 1, 0, 1};
    header.sequence = sequence_++;
    header.payload_bytes = static_cast<uint32_t>(payload.size());
    header.payload_crc = base::Crc32c(payload);
    const auto head = EncodeFrameHeader(header);
    const std::string packet = std::string(head.data(), head.size()) + payload;
    if (fd < 0) {
      static_cast<void>(SendPacket(socket_.get(), packet, {}));
    } else {
      static_cast<void>(SendPacket(socket_.get(), packet, {fd}));
    }
  }
  void Enter() { Say(FrameKind::kShare, EncodeHello({kJob, 2}), bell_.fd()); }
  void HangUp() { socket_.Close(); }

  [[nodiscard]] int memory() const { return memory_.fd(); }
  [[nodiscard]] int bell() const { return bell_.fd(); }
  [[nodiscard]] Transport& rank_1() { return *transport_; }

 private:
  std::unique_ptr<TransportEndpoint> endpoint_;
  SharedDoorbell bell_;
  ShmMemory memory_;
  std::unique_ptr<Transport> transport_;
  Descriptor socket_;
  uint64_t sequence_ = 0;
};

TEST_CASE("a peer that says no sense on a line for windows fails the rank, which says how") {
  const std::string good = EncodeWindowNotice({0, 4096});
  Descriptor unsealed(::memfd_create("test", MFD_CLOEXEC));
  REQUIRE(::ftruncate(unsealed.get(), 4096) == 0);
  struct Case {
    FrameKind kind;
    std::string payload;
    int fd;  // -1: none; 0: sound memory; 1: memory that can shrink
    const char* says;
  };
  const std::vector<Case> cases = {
      {FrameKind::kWindow, EncodeWindowNotice({8, 4096}), 0, "notice of window 8"},
      {FrameKind::kWindow, EncodeWindowNotice({0, 0}), 0, "with 0 bytes"},
      {FrameKind::kWindow, EncodeWindowNotice({0, size_t{1} << 60}), 0, "makes no sense"},
      {FrameKind::kWindow, "short", 0, "makes no sense"},
      {FrameKind::kWindow, EncodeWindowNotice({0, 5000}), 0, "has 4096 bytes, not 8192"},
      {FrameKind::kWindow, good, 1, "not sealed"},
      {FrameKind::kWindow, good, -1, "window"},
      {FrameKind::kWelcome, "", 0, "welcome"},
      {FrameKind::kShare, EncodeHello({kJob, 2}), 0, "share"},
  };
  for (const Case& c : cases) {
    INFO(c.says);
    RawSharer peer;
    peer.Enter();
    peer.Say(c.kind, c.payload, c.fd < 0 ? -1 : c.fd == 0 ? peer.memory() : unsealed.get());
    const absl::Status failed = peer.rank_1().windows()->WaitUntil([] { return false; });
    CHECK(absl::IsDataLoss(failed));
    CHECK_THAT(std::string(failed.message()), Catch::Contains(c.says));
  }
}

TEST_CASE("a window that is opened twice is refused") {
  RawSharer peer;
  peer.Enter();
  for (int i = 0; i < 2; ++i) {
    peer.Say(FrameKind::kWindow, EncodeWindowNotice({3, 4096}), peer.memory());
  }
  const absl::Status failed = peer.rank_1().windows()->WaitUntil([] { return false; });
  CHECK_THAT(std::string(failed.message()), Catch::Contains("has opened its window 3 twice"));
}

TEST_CASE("a peer whose line ends is lost, by name") {
  RawSharer peer;
  peer.Enter();
  peer.Say(FrameKind::kWindow, EncodeWindowNotice({0, 4096}), peer.memory());
  REQUIRE(peer.rank_1().windows()->Of(0, 0).ok());
  peer.rank_1().SetActivity({"allreduce", 9});
  peer.HangUp();
  const absl::Status failed = peer.rank_1().windows()->WaitUntil([] { return false; });
  CHECK(absl::IsAborted(failed));
  CHECK_THAT(std::string(failed.message()),
             Catch::Contains("rank 1 lost rank 0 during allreduce 9"));
}

TEST_CASE("notices of any bytes are sound or refused") {
  base::RandomStream random(3, base::StableHash("shm_windows_test.notices"));
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = EncodeWindowNotice({static_cast<int>(random.NextBelow(8)), size_t{1} << (i % 40)});
    bytes[random.NextBelow(bytes.size())] = static_cast<char>(random.NextBits());
    const auto notice = ParseWindowNotice(bytes);
    if (!notice.ok()) continue;
    CHECK((notice->window >= 0 && notice->window < kSharedWindowsMax));
    CHECK((notice->bytes > 0 && notice->bytes <= size_t{1} << 46));
  }
}

}  // namespace
}  // namespace rm::comm
