#include "webhook/request_reader.h"

#include <string>

#include <gtest/gtest.h>

namespace portcullis::webhook {
namespace {

constexpr std::size_t kHeaderLimit = 1024;
constexpr std::size_t kBodyLimit = 100;

TEST(RequestReader, ReadsARequestWithABody) {
  RequestReader reader(kHeaderLimit, kBodyLimit);
  const std::string text =
      "POST /v1/admit?timeout=3s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
      "Content-Length: 2\r\n\r\n{}";
  EXPECT_EQ(reader.Consume(text), text.size());
  ASSERT_EQ(reader.state(), RequestReader::State::kComplete);
  EXPECT_EQ(reader.request().method, "POST");
  EXPECT_EQ(reader.request().path, "/v1/admit");
  EXPECT_EQ(reader.request().query, "timeout=3s");
  EXPECT_EQ(reader.request().content_type, "application/json");
  EXPECT_EQ(reader.request().body, "{}");
  EXPECT_TRUE(reader.keep_alive());
}

TEST(RequestReader, ReadsTheSameByteByByte) {
  RequestReader reader(kHeaderLimit, kBodyLimit);
  const std::string text = "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello";
  std::string pending;
  for (const char c : text) {
    pending += c;
    pending.erase(0, reader.Consume(pending));
  }
  ASSERT_EQ(reader.state(), RequestReader::State::kComplete);
  EXPECT_EQ(reader.request().body, "hello");
  EXPECT_TRUE(pending.empty());
}

TEST(RequestReader, LeavesTheNextRequestAlone) {
  RequestReader reader(kHeaderLimit, kBodyLimit);
  std::string text = "GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n";
  text.erase(0, reader.Consume(text));
  ASSERT_EQ(reader.state(), RequestReader::State::kComplete);
  EXPECT_EQ(reader.request().path, "/a");
  EXPECT_EQ(reader.Consume(text), 0U);
  reader.Reset();
  EXPECT_EQ(reader.Consume(text), text.size());
  EXPECT_EQ(reader.request().path, "/b");
}

TEST(RequestReader, ReadsChunks) {
  RequestReader reader(kHeaderLimit, kBodyLimit);
  const std::string text =
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  EXPECT_EQ(reader.Consume(text), text.size());
  ASSERT_EQ(reader.state(), RequestReader::State::kComplete);
  EXPECT_EQ(reader.request().body, "abcde");
}

TEST(RequestReader, StopsAtABodyOverTheLimitBeforeItComes) {
  RequestReader reader(kHeaderLimit, kBodyLimit);
  (void)reader.Consume("POST /v1/admit HTTP/1.1\r\nContent-Length: 101\r\n\r\n");
  EXPECT_EQ(reader.state(), RequestReader::State::kTooLarge);
  EXPECT_EQ(reader.request().path, "/v1/admit");
}

TEST(RequestReader, StopsAtChunksOverTheLimit) {
  RequestReader reader(kHeaderLimit, kBodyLimit);
  std::string text = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 11; ++i) {
    text += "a\r\n0123456789\r\n";
  }
  (void)reader.Consume(text);
  EXPECT_EQ(reader.state(), RequestReader::State::kTooLarge);
}

TEST(RequestReader, RefusesALongHeaderEvenIfItNeverEnds) {
  RequestReader reader(kHeaderLimit, kBodyLimit);
  (void)reader.Consume("GET / HTTP/1.1\r\nA: " + std::string(2000, 'a'));
  ASSERT_EQ(reader.state(), RequestReader::State::kBad);
  EXPECT_EQ(reader.bad_status(), 431);
}

TEST(RequestReader, RefusesWhatIsNotHttp) {
  for (const char* text :
       {"\x16\x03\x01\x02\x00\x01garbage\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET / HTTP/1.1\r\na b: c\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"}) {
    RequestReader reader(kHeaderLimit, kBodyLimit);
    (void)reader.Consume(text);
    EXPECT_EQ(reader.state(), RequestReader::State::kBad) << text;
    EXPECT_GE(reader.bad_status(), 400);
  }
}

TEST(RequestReader, KnowsWhoWaitsForContinue) {
  RequestReader reader(kHeaderLimit, kBodyLimit);
  (void)reader.Consume("POST / HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_EQ(reader.state(), RequestReader::State::kBody);
  EXPECT_TRUE(reader.expects_continue());
}

TEST(RequestReader, HttpOneZeroIsNotKept) {
  RequestReader reader(kHeaderLimit, kBodyLimit);
  (void)reader.Consume("GET / HTTP/1.0\r\n\r\n");
  ASSERT_EQ(reader.state(), RequestReader::State::kComplete);
  EXPECT_FALSE(reader.keep_alive());
}

TEST(Timeout, IsReadFromTheQuery) {
  using std::chrono::milliseconds;
  EXPECT_EQ(TimeoutOf("timeout=3s"), milliseconds(3000));
  EXPECT_EQ(TimeoutOf("a=b&timeout=250ms&c=d"), milliseconds(250));
  EXPECT_EQ(TimeoutOf("timeout=1m"), milliseconds(60'000));
  for (const char* none : {"", "timeout=", "timeout=x", "timeout=-1s", "timeout=3", "xtimeout=3s",
                           "timeout=99999999999999999999s"}) {
    EXPECT_EQ(TimeoutOf(none), std::nullopt) << none;
  }
}

}  // namespace
}  // namespace portcullis::webhook
