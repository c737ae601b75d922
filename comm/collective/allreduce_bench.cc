// allreduce_bench RANKS [TRANSPORT [BYTES…]]: median time of an allreduce between processes of this
// machine, the result checked: one line a size. Processes are forked before anything else starts.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/check.h"
#include "comm/collective/gang.h"

namespace rm::comm {
namespace {

struct Settings {
  int ranks = 2;
  std::string transport = "grpc";
  std::vector<int64_t> sizes = {1024, 16384, 262144, 2097152, 16777216, 67108864};
};

// A pipe to and from the parent, which passes every rank's address to all.
struct Exchange {
  int to_parent = 0;
  int from_parent = 0;
};

std::string ReadLine(int fd) {
  std::string line;
  char c = 0;
  while (read(fd, &c, 1) == 1 && c != '\n') line.push_back(c);
  return line;
}

void WriteLine(int fd, const std::string& line) {
  const std::string text = line + "\n";
  RM_CHECK(write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()), "pipe");
}

void Check(const absl::Status& status) { RM_CHECK(status.ok(), status.ToString()); }

double CpuSeconds() { return static_cast<double>(clock()) / CLOCKS_PER_SEC; }

void Measure(Communicator& gang, int index, absl::Span<float> bucket) {
  const int64_t bytes = static_cast<int64_t>(bucket.size() * sizeof(float));
  const int64_t repeats =
      std::max<int64_t>(5, std::min<int64_t>(400, 200000000 / std::max<int64_t>(bytes, 4096)));
  std::vector<double> times;
  double cpu = 0;
  for (int64_t i = 0; i < repeats + 3; ++i) {
    std::fill(bucket.begin(), bucket.end(), 1.0F);
    Check(gang.Barrier());
    const absl::Time begin = absl::Now();
    const double cpu_begin = CpuSeconds();
    gang.AllReduce(index);
    Check(gang.WaitAll());
    if (i >= 3) times.push_back(absl::ToDoubleMicroseconds(absl::Now() - begin));
    if (i >= 3) cpu += CpuSeconds() - cpu_begin;
    const float expected = static_cast<float>(gang.world_size());
    RM_CHECK(std::count(bucket.begin(), bucket.end(), expected) ==
                 static_cast<int64_t>(bucket.size()),
             "wrong sum");
  }
  std::sort(times.begin(), times.end());
  if (gang.rank() == 0) {
    std::printf("%9lld bytes %10.1f us median %10.1f min %10.1f us cpu/rank\n",
                static_cast<long long>(bytes), times[times.size() / 2], times.front(),
                cpu / static_cast<double>(repeats) * 1e6);
    std::fflush(stdout);
  }
}

void RunRank(const Settings& settings, int rank, const Exchange& exchange) {
  EndpointOptions options;
  options.transport = settings.transport;
  auto endpoint = OpenEndpoint(options);
  Check(endpoint.status());
  WriteLine(exchange.to_parent, (*endpoint)->address());
  Membership membership;
  membership.job = "bench";
  membership.rank = rank;
  membership.peers = absl::StrSplit(ReadLine(exchange.from_parent), ' ');
  auto gang = (*endpoint)->Join(membership);
  Check(gang.status());
  std::vector<int64_t> elements;
  for (const int64_t bytes : settings.sizes) elements.push_back(bytes / 4);
  auto buckets = (*gang)->AllocateBuckets(elements);
  Check(buckets.status());
  for (size_t i = 0; i < elements.size(); ++i) Measure(**gang, static_cast<int>(i), (*buckets)[i]);
  Check((*gang)->Barrier());
}

int RunAll(const Settings& settings) {
  std::vector<Exchange> ranks;
  for (int rank = 0; rank < settings.ranks; ++rank) {
    int up[2];
    int down[2];
    RM_CHECK(pipe(up) == 0 && pipe(down) == 0, "pipe");
    if (fork() == 0) {
      RunRank(settings, rank, {up[1], down[0]});
      std::exit(0);
    }
    ranks.push_back({up[0], down[1]});
  }
  std::string addresses;
  for (const Exchange& rank : ranks) {
    addresses += (addresses.empty() ? "" : " ") + ReadLine(rank.to_parent);
  }
  for (const Exchange& rank : ranks) WriteLine(rank.from_parent, addresses);
  int failed = 0;
  for (size_t i = 0; i < ranks.size(); ++i) {
    int status = 0;
    wait(&status);
    if (status != 0) ++failed;
  }
  return failed;
}

}  // namespace
}  // namespace rm::comm

int main(int argc, char** argv) {
  rm::comm::Settings settings;
  if (argc > 1) RM_CHECK(absl::SimpleAtoi(argv[1], &settings.ranks), "RANKS is a number");
  if (argc > 2) settings.transport = argv[2];
  if (argc > 3) settings.sizes.clear();
  for (int i = 3; i < argc; ++i) {
    int64_t bytes = 0;
    RM_CHECK(absl::SimpleAtoi(argv[i], &bytes), "BYTES is a number");
    settings.sizes.push_back(bytes);
  }
  return rm::comm::RunAll(settings);
}
