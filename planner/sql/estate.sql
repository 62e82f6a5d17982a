-- An estate as it was recorded, before anything is planned: when it is busy, who uses most, how well it was recorded.
--
-- $trace_id; $cores, $gib: assumed sizes where only percentages are known, null without one; $most: rows at most.
-- 72 hours before 1970-01-01 00:00 was a Monday 00:00, hour 0 of the week.

-- hours
-- What all workloads together use on average in each hour of the week; calls that run at once take no size here.
with cells as (
    select
        u.workload, cast((epoch_us(u.sampled_at) // 3600000000 + 72) % 168 as integer) as hour,
        avg(coalesce(u.cpu_cores, u.cpu_percent / 100 * coalesce(w.cpu_cores, $cores))) as cpu_cores,
        avg(coalesce(u.memory_gib, u.memory_percent / 100 * coalesce(w.memory_gib, $gib))) as memory_gib,
        avg(u.requests_per_s) as requests_per_s
    from usage u join workloads w on w.trace_id = u.trace_id and w.workload = u.workload
    where u.trace_id = $trace_id group by all
),
observed as (
    select cast((epoch_us(minute) // 3600000000 + 72) % 168 as integer) as hour, count(*) as n
    from minutes where trace_id = $trace_id group by all
),
called as (
    select cast((epoch_us(minute) // 3600000000 + 72) % 168 as integer) as hour, sum(calls) as calls
    from calls where trace_id = $trace_id group by all
),
used as (
    select hour, sum(cpu_cores) as cpu_cores, sum(memory_gib) as memory_gib, sum(requests_per_s) as requests_per_s
    from cells group by hour
)
select
    hour, u.cpu_cores, u.memory_gib,
    case when u.requests_per_s is null and o.n is null then null
        else coalesce(u.requests_per_s, 0) + coalesce(c.calls, 0) / (60.0 * coalesce(o.n, 1)) end as requests_per_s
from used u full join observed o using (hour) left join called c using (hour)
order by hour;

-- consumers
with used as (
    select
        u.workload, avg(coalesce(u.cpu_cores, u.cpu_percent / 100 * coalesce(w.cpu_cores, $cores))) as mean_cpu_cores,
        max(coalesce(u.cpu_cores, u.cpu_percent / 100 * coalesce(w.cpu_cores, $cores))) as max_cpu_cores,
        avg(coalesce(u.memory_gib, u.memory_percent / 100 * coalesce(w.memory_gib, $gib))) as mean_memory_gib,
        max(coalesce(u.memory_gib, u.memory_percent / 100 * coalesce(w.memory_gib, $gib))) as max_memory_gib
    from usage u join workloads w on w.trace_id = u.trace_id and w.workload = u.workload
    where u.trace_id = $trace_id group by u.workload
),
called as (
    select workload, sum(calls) as calls, sum(calls * seconds_per_call) / 3600 as busy_hours
    from calls where trace_id = $trace_id group by workload
)
select
    w.workload, w.kind, w.application, coalesce(w.cpu_cores, w.cpu_share * $cores, $cores) as cpu_cores,
    coalesce(u.mean_cpu_cores, w.cpu_percent_mean / 100 * coalesce(w.cpu_cores, $cores)) as mean_cpu_cores,
    coalesce(u.max_cpu_cores, w.cpu_percent_max / 100 * coalesce(w.cpu_cores, $cores)) as max_cpu_cores,
    coalesce(w.memory_gib, w.memory_share * $gib, $gib) as memory_gib, coalesce(u.mean_memory_gib, w.memory_percent_mean / 100 * coalesce(w.memory_gib, $gib)) as mean_memory_gib,
    coalesce(u.max_memory_gib, w.memory_percent_max / 100 * coalesce(w.memory_gib, $gib)) as max_memory_gib,
    c.calls, c.busy_hours
from workloads w left join used u using (workload) left join called c using (workload)
where w.trace_id = $trace_id
order by mean_cpu_cores desc nulls last, c.busy_hours desc nulls last, w.workload limit $most;

-- quality
select q.workload, w.kind, w.application, q.stars, q.activity, q.samples, q.expected_samples, q.gaps,
    w.cpu_cores, w.memory_gib
from quality q join workloads w on w.trace_id = q.trace_id and w.workload = q.workload
where q.trace_id = $trace_id
order by q.stars, q.activity = 'active', q.gaps desc, q.workload limit $most;

-- allocated
select
    count(*) as workloads, count(*) filter (coalesce(cpu_cores, $cores) is null) as without_cpu_cores,
    count(*) filter (coalesce(memory_gib, $gib) is null) as without_memory_gib,
    sum(coalesce(cpu_cores, cpu_share * $cores, $cores)) as cpu_cores,
    sum(coalesce(memory_gib, memory_share * $gib, $gib)) as memory_gib
from workloads where trace_id = $trace_id;
