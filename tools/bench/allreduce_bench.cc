// `bench allreduce`: both the command and what its ranks do. Sums are checked before and after they are timed.

#include "tools/bench/allreduce_bench.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/flags.h"
#include "base/status.h"
#include "tools/bench/rank_group.h"
#include "tools/bench/report.h"

namespace rm::bench {
namespace {

// The flags with their defaults: the sizes of the peers' scripts.
struct Options {
  int64_t ranks = 2;
  std::string transport = "grpc";
  std::string sizes = "1024,16384,262144,2097152,16777216,67108864";
  std::string output = "table";
  bool help = false;
};

absl::StatusOr<Options> ParseOptions(int argc, char** argv, std::string* help) {
  Options o;
  base::FlagSet flags("trainctl bench allreduce",
                      "Measures a float32 allreduce, ranks being processes; results are checked.");
  flags.Integer("ranks", "N", "rank processes", 2, 1024, &o.ranks);
  flags.Choice("transport", {"auto", "grpc", "shm", "tcp"}, "how ranks talk", &o.transport);
  flags.Text("sizes", "BYTES,…", "bytes to sum, each a multiple of 4", &o.sizes);
  flags.Choice("output", {"table", "json"}, "form of the lines", &o.output);
  flags.Letter('o', "output");
  RM_RETURN_IF_ERROR(flags.Parse(argc, argv));
  *help = flags.Help();
  o.help = flags.help_asked();
  if (!o.help) RM_RETURN_IF_ERROR(flags.NoPositionals());
  return o;
}

// Sizes as numbers for the ranks. The bound keeps a slip of the finger from taking all memory.
absl::StatusOr<base::Json> ParseSizes(const std::string& text) {
  base::Json sizes{base::Json::Array()};
  constexpr int64_t kBytesMax = int64_t{1} << 32;
  for (const absl::string_view part : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    int64_t bytes = 0;
    if (!absl::SimpleAtoi(part, &bytes) || bytes < 4 || bytes % 4 != 0 || bytes > kBytesMax) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--sizes: '", part, "' is not a multiple of 4 from 4 to ", kBytesMax));
    }
    sizes.Add(bytes);
  }
  if (sizes.array().empty()) return absl::InvalidArgumentError("--sizes: no size given");
  return sizes;
}

// Enough repeats for a median, fewer for what takes long.
int RepeatsFor(int64_t bytes) { return bytes <= (1 << 18) ? 201 : bytes <= (1 << 24) ? 31 : 9; }

// Values that are exact in float32, different on each rank and place.
float ValueOf(int rank, size_t i) { return static_cast<float>((i * 7 + 3) % 1021) * static_cast<float>(rank + 1); }

// All contributions are multiples of one value, so the sum is known without keeping the inputs.
absl::Status CheckSum(absl::Span<const float> sums, int ranks) {
  const float weight = static_cast<float>(ranks * (ranks + 1)) / 2;
  for (size_t i = 0; i < sums.size(); ++i) {
    const float expected = ValueOf(0, i) * weight;
    if (std::abs(sums[i] - expected) > 1e-5F * expected) {
      return absl::DataLossError(
          absl::StrCat("element ", i, " is ", sums[i], ", the sum is ", expected));
    }
  }
  return absl::OkStatus();
}

// The bucket before the sum.
void FillBucket(absl::Span<float> bucket, int rank) {
  for (size_t i = 0; i < bucket.size(); ++i) bucket[i] = ValueOf(rank, i);
}

// One unmeasured, checked run warms the path; each measured one starts at a barrier, so that the time is the
// collective's and not the wait for the slower rank. The last sum is checked again.
absl::StatusOr<base::Json> MeasureBucket(absl::Span<float> bucket, int index,
                                         comm::Communicator& communicator) {
  const auto bytes = static_cast<int64_t>(bucket.size() * sizeof(float));
  FillBucket(bucket, communicator.rank());
  communicator.AllReduce(index);
  RM_RETURN_IF_ERROR(communicator.WaitAll());
  RM_RETURN_IF_ERROR(CheckSum(bucket, communicator.world_size()));
  base::Json times{base::Json::Array()};
  for (int repeat = 0; repeat < RepeatsFor(bytes); ++repeat) {
    FillBucket(bucket, communicator.rank());  // values stay in range
    RM_RETURN_IF_ERROR(communicator.Barrier());
    const absl::Time start = absl::Now();
    communicator.AllReduce(index);
    RM_RETURN_IF_ERROR(communicator.WaitAll());
    times.Add(absl::ToDoubleMicroseconds(absl::Now() - start));
  }
  RM_RETURN_IF_ERROR(CheckSum(bucket, communicator.world_size()));
  base::Json result;
  result.Set("bytes", bytes).Set("us", times);
  return result;
}

// The bus bandwidth is 2(n−1)/n · bytes / time, so that it can be compared with the wire's own rate at any n.
absl::Status RunBench(const Options& o) {
  RM_ASSIGN_OR_RETURN(const base::Json sizes, ParseSizes(o.sizes));
  base::Json settings;
  settings.Set("sizes", sizes).Set("transport", o.transport);
  RM_ASSIGN_OR_RETURN(const std::vector<base::Json> results,
                      RunRanks("allreduce", static_cast<int>(o.ranks), 1, settings));
  const base::Json::Array& measured = results.front().array();
  for (const base::Json& size : measured) {
    std::vector<double> times;
    for (const base::Json& time : size.Find("us")->array()) times.push_back(time.number_or(0));
    const Spread spread = SpreadOf(times);
    const auto bytes = static_cast<double>(size.Find("bytes")->int_or(0));
    const auto ranks = static_cast<double>(o.ranks);
    base::Json line;
    line.Set("bench", "allreduce")
        .Set("transport", *size.Find("transport"))
        .Set("ranks", o.ranks)
        .Set("bytes", *size.Find("bytes"))
        .Set("us", spread.median)
        .Set("busbw_GBps", 2 * (ranks - 1) / ranks * bytes / spread.median / 1e3)
        .Set("us_min", spread.least)
        .Set("us_max", spread.greatest)
        .Set("repeats", static_cast<int64_t>(times.size()));
    AddCircumstances(line);
    PrintLine(line, o.output == "json");
  }
  return absl::OkStatus();
}

}  // namespace

// All sizes are allocated at once: a communicator allocates its buckets once.
absl::StatusOr<base::Json> AllReduceBenchRank(const base::Json& settings,
                                              comm::Communicator& communicator) {
  std::vector<int64_t> elements;
  for (const base::Json& size : settings.Find("sizes")->array()) {
    elements.push_back(size.int_or(4) / 4);
  }
  RM_ASSIGN_OR_RETURN(const auto buckets, communicator.AllocateBuckets(elements));
  base::Json results{base::Json::Array()};
  for (size_t i = 0; i < buckets.size(); ++i) {
    RM_ASSIGN_OR_RETURN(base::Json result,
                        MeasureBucket(buckets[i], static_cast<int>(i), communicator));
    result.Set("transport", *settings.Find("transport"));
    results.Add(std::move(result));
  }
  return results;
}

int AllReduceBenchCommand(int argc, char** argv) {
  std::string help;
  const auto options = ParseOptions(argc, argv, &help);
  if (options.ok() && options->help) {
    std::fputs(help.c_str(), stdout);
    return 0;
  }
  const absl::Status status = options.ok() ? RunBench(*options) : options.status();
  if (status.ok()) return 0;
  std::fprintf(stderr, "trainctl bench allreduce: %s\n", std::string(status.message()).c_str());
  return absl::IsInvalidArgument(status) ? 2 : 1;
}

}  // namespace rm::bench
