#include "comm/collective/ring_allreduce.h"

#include "base/status.h"
#include "comm/collective/ring_schedule.h"

namespace rm::comm {
namespace {

// Measured on two cores over loopback TCP: smaller segments cost more calls, larger ones and more
// of them on the way do not stay in the cache between the sender's copy and the receiver's sum.
constexpr int64_t kSegmentElements = (int64_t{512} << 10) / static_cast<int64_t>(sizeof(float));
// A rank sends this many segments more than it has received. All ranks keep step by that, so that
// what lies in sockets is bounded whatever the size of the bucket.
constexpr int64_t kSegmentsAhead = 2;

absl::Span<char> Bytes(absl::Span<float> floats) {
  return {reinterpret_cast<char*>(floats.data()), floats.size() * sizeof(float)};
}

// One rank's way through one call: what it has sent and received so far.
class RingRun {
 public:
  RingRun(RingEdges& ring, const AllReduceCall& call)
      : ring_(ring),
        call_(call),
        sends_(Walk(RingSide::kSend)),
        receives_(Walk(RingSide::kReceive)) {}

  [[nodiscard]] bool all_sent() const { return sends_.done(); }
  [[nodiscard]] bool all_received() const { return receives_.done(); }

  // Sends what may be sent now.
  void SendReady();
  // Takes what SendReady would send as sent: Begin has done it.
  void SkipReady();
  // Receives the next segment, and adds or keeps it.
  [[nodiscard]] absl::Status ReceiveOne();

 private:
  [[nodiscard]] RingCursor Walk(RingSide side) const {
    return RingCursor({static_cast<int64_t>(call_.bucket.size()), ring_.world_size(), ring_.rank(),
                       side, kSegmentElements});
  }
  [[nodiscard]] bool MaySend() const {
    return !sends_.done() && RingMaySend(sends_, receives_, kSegmentsAhead);
  }
  [[nodiscard]] absl::Span<float> Part(const Range& range) const {
    return call_.bucket.subspan(static_cast<size_t>(range.begin),
                                static_cast<size_t>(range.size()));
  }

  RingEdges& ring_;
  const AllReduceCall& call_;
  RingCursor sends_;
  RingCursor receives_;
};

void RingRun::SendReady() {
  for (; MaySend(); sends_.Advance()) {
    ring_.Send(call_.id, sends_.hop(), sends_.segment(), Bytes(Part(sends_.range())));
  }
}

void RingRun::SkipReady() {
  while (MaySend()) sends_.Advance();
}

absl::Status RingRun::ReceiveOne() {
  const absl::Span<float> part = Part(receives_.range());
  RM_ASSIGN_OR_RETURN(const Frame frame,
                      ring_.Receive(call_.id, receives_.hop(), receives_.segment(),
                                    Bytes(part).size()));
  RM_RETURN_IF_ERROR(receives_.now().reduce ? ring_.Add(frame, part)
                                            : ring_.Copy(frame, Bytes(part)));
  receives_.Advance();
  return absl::OkStatus();
}

}  // namespace

bool RingTakes(int /*world_size*/, int64_t /*bucket_bytes*/) { return true; }

size_t RingScratch(int /*world_size*/, int64_t /*bucket_bytes*/) { return 0; }

void BeginRing(RingEdges& ring, const AllReduceCall& call) {
  RingRun(ring, call).SendReady();
}

absl::Status FinishRing(RingEdges& ring, const AllReduceCall& call,
                        absl::FunctionRef<void()> all_sent) {
  RingRun run(ring, call);
  run.SkipReady();
  bool told = false;  // all_sent
  while (!run.all_received()) {
    if (run.all_sent() && !told) {
      told = true;
      all_sent();
    }
    RM_RETURN_IF_ERROR(run.ReceiveOne());
    run.SendReady();
  }
  return absl::OkStatus();
}

}  // namespace rm::comm
