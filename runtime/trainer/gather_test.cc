#include "runtime/trainer/gather.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/check.h"
#include "runtime/trainer/trainer_testing.h"

namespace rm::trainer {
namespace {

// Rank r says r times its letter; rank 0 says nothing.
std::string WordOf(int rank) {
  return std::string(static_cast<size_t>(rank) * 1000, static_cast<char>('a' + rank));
}

TEST_CASE("every rank hears every rank, whatever the sizes") {
  for (const int ranks : {1, 2, 3, 5}) {
    std::vector<std::vector<std::string>> heard(static_cast<size_t>(ranks));
    RunGang(ranks, [&](comm::Communicator& communicator) {
      const auto all = GatherBytes(communicator, WordOf(communicator.rank()));
      if (all.ok()) heard[static_cast<size_t>(communicator.rank())] = *all;
    });
    for (const auto& all : heard) {
      REQUIRE(all.size() == static_cast<size_t>(ranks));
      for (int rank = 0; rank < ranks; ++rank) CHECK(all[static_cast<size_t>(rank)] == WordOf(rank));
    }
  }
}

TEST_CASE("a broadcast gives the root's bytes to all, the empty ones too") {
  for (const int root : {0, 2}) {
    for (const std::string& word : {std::string("checkpoint"), std::string()}) {
      std::vector<std::string> heard(3, "nothing");
      RunGang(3, [&](comm::Communicator& communicator) {
        const bool is_root = communicator.rank() == root;
        const auto bytes = BroadcastBytes(communicator, is_root ? word : "ignored", root);
        if (bytes.ok()) heard[static_cast<size_t>(communicator.rank())] = *bytes;
      });
      for (const std::string& bytes : heard) CHECK(bytes == word);
    }
  }
}

TEST_CASE("a broken communicator is an error, not a wait") {
  RunGang(2, [](comm::Communicator& communicator) {
    // Both are in before one leaves; the abort may overtake the end of the barrier on the other.
    communicator.Barrier().IgnoreError();
    if (communicator.rank() == 1) {
      communicator.Abort(absl::AbortedError("enough"));
    } else {
      RM_CHECK(!GatherBytes(communicator, "hello").ok());
      RM_CHECK(!BroadcastBytes(communicator, "hello", 0).ok());
    }
  });
}

}  // namespace
}  // namespace rm::trainer
