// One rank in a process of its own, for tests that kill it.
//
//   vanishing_rank ORDERLY|STUCK|REDUCING TRANSPORT
//
// Prints its address, reads a line "JOB GENERATION RANK PEER PEER …", joins, passes a barrier,
// prints "ready", and then leaves (ORDERLY), waits for ever (STUCK), or reduces one bucket of
// kReducedElements again and again until that fails (REDUCING).
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/check.h"
#include "comm/collective/gang.h"

namespace rm::comm {
namespace {

void Say(const std::string& line) { std::cout << line << std::endl; }

// 16 MiB: an allreduce of it takes long enough to be hit in its middle.
constexpr int64_t kReducedElements = 4 << 20;

void ReduceForEver(Communicator& gang) {
  const auto buckets = gang.AllocateBuckets({kReducedElements});
  RM_CHECK(buckets.ok(), buckets.status().ToString());
  Say("ready");
  do {
    gang.AllReduce(0);
  } while (gang.WaitAll().ok());
}

void RunRank(const std::string& manner, const std::string& transport) {
  EndpointOptions options;
  options.transport = transport;
  auto endpoint = OpenEndpoint(options);
  RM_CHECK(endpoint.ok(), endpoint.status().ToString());
  Say((*endpoint)->address());
  std::string line;
  std::getline(std::cin, line);
  std::vector<std::string> words = absl::StrSplit(line, ' ');
  Membership membership;
  membership.job = words.at(0);
  RM_CHECK(absl::SimpleAtoi(words.at(1), &membership.generation), words.at(1));
  RM_CHECK(absl::SimpleAtoi(words.at(2), &membership.rank), words.at(2));
  membership.peers.assign(words.begin() + 3, words.end());
  auto gang = (*endpoint)->Join(membership);
  RM_CHECK(gang.ok(), gang.status().ToString());
  const absl::Status met = (*gang)->Barrier();
  RM_CHECK(met.ok(), met.ToString());
  if (manner == "REDUCING") return ReduceForEver(**gang);
  Say("ready");
  while (manner == "STUCK" && std::getline(std::cin, line)) {
  }
}

}  // namespace
}  // namespace rm::comm

int main(int argc, char** argv) {
  rm::comm::RunRank(argc > 1 ? argv[1] : "ORDERLY", argc > 2 ? argv[2] : "grpc");
  return 0;
}
