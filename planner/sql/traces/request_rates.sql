-- Requests over time: a time, and requests since then or requests a second, by service where several are told; CSV, Parquet
--
-- A file without a service is one, named by the file. Counts are those of the interval that begins at the time; the
-- interval is the usual step between the times of a service. Longer ones are spread evenly over their minutes, shorter
-- ones are added up. An interval that is missing had no requests. How long a request runs and what memory it takes may
-- stand beside it; else the scenario states them ([demand] assumed_seconds_per_request, assumed_memory_gib).
-- The World Cup 1998 access logs by the minute (period, count) are read as they are.

create temp table rates (
    begins timestamp not null check (begins between '1970-01-01' and '2100-01-01'),
    requests double check (requests between 0 and 1e15),
    requests_per_s double check (requests_per_s between 0 and 1e12),
    service varchar,
    seconds_per_request double check (seconds_per_request between 0 and 1e6),
    memory_mb double check (memory_mb between 0 and 1e8),
    check (coalesce(requests, requests_per_s) is not null)
);
comment on column rates.begins is 'timestamp|time|period|datetime|date|sampled_at|interval start|ts';
comment on column rates.requests is 'count|request_count|requests_count|num_requests|invocation_count|invocations|hits';
comment on column rates.requests_per_s is 'rps|qps|request_rate|requests per second|requests/s|req/s';
comment on column rates.service is 'service_name|app|endpoint|host|url|function|site';
comment on table rates is '{"named": true, "needed": true}';

-- Rows of one service and time are parts of one figure.
create temp table series as
select
    coalesce(nullif(trim(service), ''), file) as workload, begins, exact_sum(requests) as requests,
    exact_sum(requests_per_s) as requests_per_s,
    exact_sum(seconds_per_request * coalesce(requests, requests_per_s))
        / nullif(sum(coalesce(requests, requests_per_s)) filter (seconds_per_request is not null), 0) as seconds,
    exact_sum(memory_mb * coalesce(requests, requests_per_s))
        / nullif(sum(coalesce(requests, requests_per_s)) filter (memory_mb is not null), 0) as mb,
    count(*) as parts
from rates group by all;

-- The usual step of each service, in seconds, a month at most; a service with one row has the step of most others,
-- or a minute.
create temp table steps as
with gaps as (
    select workload, (epoch_us(begins) - lag(epoch_us(begins)) over (partition by workload order by begins)) / 1e6 as step
    from series
),
own as (
    select workload, median(step) filter (step > 0) as step from gaps group by workload
)
select workload, least(cast(2678400 as double), coalesce(step, (select mode(step) from own), 60.0)) as step
from own;

-- Minutes of an interval: all that begin in it; a shorter one belongs to its own.
create temp table spread as
select
    s.workload, unnest(generate_series(
        date_trunc('minute', s.begins),
        date_trunc('minute', s.begins) + to_minutes(cast(greatest(1, round(t.step / 60)) as integer) - 1),
        interval 1 minute
    )) as minute,
    coalesce(s.requests, s.requests_per_s * t.step) / greatest(1, round(t.step / 60)) as calls, s.seconds, s.mb
from series s join steps t using (workload);

insert into calls by name
select
    $trace_id as trace_id, workload, minute, sum(calls) as calls,
    exact_sum(calls * seconds) / nullif(sum(calls) filter (seconds is not null), 0) as seconds_per_call,
    exact_sum(calls * mb) / nullif(sum(calls) filter (mb is not null), 0) as memory_mb
from spread where calls > 0 group by all;

-- Silence counts from the first minute to the last, unless a clock gone wrong makes that more than twenty years.
create temp table whole as
select min(minute) as a, max(minute) as b from spread having date_diff('minute', min(minute), max(minute)) < 10512000;

insert into minutes by name
select $trace_id as trace_id, unnest(generate_series(a, b, interval 1 minute)) as minute from whole
union all
select distinct $trace_id, minute from spread where not exists (from whole);

insert into notes
select 'the times reach over more than twenty years: only minutes of which requests are told count' where exists (from series)
    and not exists (from whole);

insert into workloads by name
with totals as (
    select workload,
        exact_sum(calls * seconds_per_call) / nullif(sum(calls) filter (seconds_per_call is not null), 0) as seconds,
        exact_sum(calls * memory_mb) / nullif(sum(calls) filter (memory_mb is not null), 0) as mb
    from calls where trace_id = $trace_id group by workload
)
select
    $trace_id as trace_id, workload, 'function' as kind, true as scales_out, seconds as seconds_per_request,
    mb / 1024 as memory_gib_per_request
from steps left join totals using (workload);

insert into notes
select format('{} of {} services do not tell how long a request runs: the scenario must state it ([demand] '
    'assumed_seconds_per_request)', n, total)
from (
    select count(*) filter (seconds_per_request is null) as n, count(*) as total from workloads where trace_id = $trace_id
) where n > 0;

insert into notes
select format('{} intervals are missing between the first and the last of their service: they are read as without '
    'requests', missing)
from (
    select cast(sum(greatest(0, round((epoch_us(b) - epoch_us(a)) / 1e6 / step) + 1 - n)) as bigint) as missing
    from (select workload, min(begins) as a, max(begins) as b, count(*) as n from series group by workload)
    join steps using (workload)
) where missing > 0 and exists (from whole);

insert into notes
select format('{} services are told by intervals of more than a minute: their requests are spread evenly over it, peaks '
    'within it are not seen', count(*))
from steps where round(step) > 60 having count(*) > 0;

insert into notes
select format('{} times of a service stand on several lines: their requests are added up', count(*))
from series where parts > 1 having count(*) > 0;
