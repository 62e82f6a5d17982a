-- Samples become (workload, period) rows: exact percentiles and means. Aggregate before anything is optimised.
--
-- $trace_id; $since: samples before it do not count; $periods: 168, 24 or 1; $cpu_level, $memory_level: 0 .. 1;
-- $cores, $gib: assumed sizes where only percentages are known, null without one; $part of $parts: the share of
-- workloads done in this pass, so that memory stays bounded. quantile_cont in its list form is exact.
-- 72 hours before 1970-01-01 00:00 was a Monday 00:00, hour 0 of the week.

-- usage
select
    n.number,
    cast((epoch_us(u.sampled_at) // 3600000000 + 72) % $periods as integer) as period,
    quantile_cont(coalesce(u.cpu_cores, u.cpu_percent / 100 * coalesce(n.cpu_cores, $cores)), [$cpu_level])[1] as cpu_busy,
    exact_mean(coalesce(u.cpu_cores, u.cpu_percent / 100 * coalesce(n.cpu_cores, $cores))) as cpu_mean,
    quantile_cont(coalesce(u.memory_gib, u.memory_percent / 100 * coalesce(n.memory_gib, $gib)), [$memory_level])[1]
        as memory_busy,
    exact_mean(coalesce(u.memory_gib, u.memory_percent / 100 * coalesce(n.memory_gib, $gib))) as memory_mean,
    exact_avg(u.requests_per_s) as requests_per_s,
    count(u.cpu_cores) as cpu_amounts, count(u.cpu_percent) filter (u.cpu_cores is null) as cpu_shares,
    count(u.memory_gib) as memory_amounts, count(u.memory_percent) filter (u.memory_gib is null) as memory_shares
from usage u join numbered n using (workload)
where u.trace_id = $trace_id and u.sampled_at >= $since and n.number % $parts = $part
group by all;

-- calls
-- Concurrency of a minute is calls x seconds / 60 (Little). Minutes without calls count as 0 but have no row: the
-- percentile of n minutes, m of them with calls, is looked up in n - m zeros followed by the m sorted values.
with observed as (
    select cast((epoch_us(minute) // 3600000000 + 72) % $periods as integer) as period, count(*) as n
    from minutes where trace_id = $trace_id and minute >= $since group by all
),
busy as (
    select
        f.number, cast((epoch_us(c.minute) // 3600000000 + 72) % $periods as integer) as period,
        list_sort(list(c.calls * coalesce(c.seconds_per_call, f.seconds_per_request, $seconds) / 60)) as c,
        sum(c.calls) as calls
    from calls c join numbered f using (workload)
    where c.trace_id = $trace_id and c.minute >= $since and f.number % $parts = $part group by all
),
placed as (
    select f.number, o.period, o.n, b.c, coalesce(b.calls, 0) as calls,
        $cpu_level * (o.n - 1) as place, o.n - coalesce(len(b.c), 0) as zeros
    from numbered f cross join observed o left join busy b on b.number = f.number and b.period = o.period
    where f.kind = 'function' and f.number % $parts = $part
),
ends as (
    select *,
        case when floor(place) < zeros then 0.0 else c[cast(floor(place) as bigint) - zeros + 1] end as low,
        case when ceil(place) < zeros then 0.0 else c[cast(ceil(place) as bigint) - zeros + 1] end as high
    from placed
)
select number, period, low + (high - low) * (place - floor(place)) as concurrency,
    calls / (60.0 * n) as requests_per_s
from ends;

-- workloads
-- What the samples of the window say of each workload as a whole, where they say it; network is what is sent out.
select
    n.number, exact_avg(u.network_out_mib_per_s) as network_mib_per_s,
    quantile_cont(u.disk_iops, [$cpu_level])[1] as disk_iops
from usage u join numbered n using (workload)
where u.trace_id = $trace_id and u.sampled_at >= $since and n.number % $parts = $part
group by n.number;
