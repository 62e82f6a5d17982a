-- What is known of a recording once its rows are in: its pace, the quality of each workload, its totals.

-- paces
-- Table sums has a row a workload. One whose samples are all as far apart as the usual step is even: its first and last
-- sample and their number say so. Whether the usual step is one is seen at the beginning of the recording, since all may
-- lack the same hour. Of $few samples each workload is looked at, and none is taken for even.
create or replace temp table steps as
select *, case when samples > 1 then (epoch_us(last) - epoch_us(first)) / (samples - 1) end as step from sums;

set variable usual_step = (
    select step from steps where step > 0 and (select sum(samples) > $few from sums)
    group by step order by count(*) desc, step limit 1
);

set variable early_end = (
    select min(first) + to_microseconds(cast(32 * getvariable('usual_step') as bigint)) from sums
);

create or replace temp table stepped as
with early as (
    select epoch_us(sampled_at) - lag(epoch_us(sampled_at)) over (partition by workload order by sampled_at) as step
    from usage where trace_id = $trace_id and sampled_at <= getvariable('early_end')
)
select steps.*, samples = 1 or coalesce(step = (select median(step) from early where step > 0), false) as even
from steps;

-- The seconds between samples, in microseconds: of those that are not even the median over the first samples. A workload
-- with one sample has no pace of its own and takes that of most others.
create or replace temp table paces as
with firsts as (
    select workload, min(sampled_at, 33) as early
    from usage semi join (select workload from stepped where not even) using (workload)
    where trace_id = $trace_id group by workload
),
medians as (
    select workload, list_median(list_filter(
        list_transform(list_zip(early[2:], early[:-2]), lambda p: epoch_us(p[1]) - epoch_us(p[2])), lambda d: d > 0
    )) as median
    from firsts
),
paced as (
    select s.* exclude (step), coalesce(m.median, s.step) as pace,
        greatest(most_cpu_cores, most_cpu_percent, most_memory_gib, most_memory_percent, most_disk_read_mib_per_s,
            most_disk_write_mib_per_s, most_disk_iops, most_network_in_mib_per_s, most_network_out_mib_per_s,
            most_requests_per_s) as most
    from stepped s left join medians m using (workload)
),
common as (select round(pace) as pace from paced where pace > 0 group by 1 order by count(*) desc, 1 limit 1)
select * replace (cast(coalesce(nullif(pace, 0), (select pace from common), 300000000) as bigint) as pace) from paced;

-- quality
-- Expected: one sample each pace from the first to the last of the recording, within the life of the workload.
create temp table machines as
with span as (select min(first) as a, max(last) as b from paces)
select
    w.workload, coalesce(p.samples, 0) as samples, p.pace, p.most,
    coalesce(w.cpu_percent_mean, w.memory_percent_mean) as told,
    greatest(w.cpu_percent_mean, w.cpu_percent_max, w.memory_percent_mean, w.memory_percent_max) as told_most,
    epoch_us(p.last) - epoch_us(p.first) as seen,
    greatest(1, cast(floor((
        least(epoch_us(s.b), coalesce(epoch_us(w.deleted_at) - 1, epoch_us(s.b)))
        - greatest(epoch_us(s.a), coalesce(epoch_us(w.created_at), epoch_us(s.a)))
    ) / coalesce(p.pace, (select pace from paces group by pace order by count(*) desc, pace limit 1), 300000000) + 0.01) as bigint) + 1) as expected,
    coalesce(p.cpu_percent / nullif(coalesce(w.cpu_share, 1), 0), 100 * p.cpu_cores / nullif(w.cpu_cores, 0),
        w.cpu_percent_mean) as cpu_share,
    coalesce(p.memory_percent / nullif(coalesce(w.memory_share, 1), 0), 100 * p.memory_gib / nullif(w.memory_gib, 0),
        w.memory_percent_mean) as memory_share
from workloads w left join paces p using (workload), span s
where w.trace_id = $trace_id and (w.kind <> 'function' or p.samples is not null);

-- A gap is a stretch of more than one and a half paces without a sample; whoever has all samples between the first and
-- the last has none.
create temp table gaps as
select workload, count(*) filter (step > 1.5 * pace) as gaps
from (
    select workload, pace,
        epoch_us(sampled_at) - lag(epoch_us(sampled_at)) over (partition by workload order by sampled_at) as step
    from usage join (select workload, pace from machines where samples > 1 and samples < seen / pace + 1) using (workload)
    where trace_id = $trace_id
)
group by workload;

-- Means of doubles may differ in the last digit from run to run, rounded ones do not.
-- Bands: up to 20, 40, 60, 80, 100 % of the expected samples (Azure Migrate, confidence ratings). Activity: CPU and
-- memory above 5 % of what is allocated (Azure Migrate, server activity); where there is no size to take a share of,
-- any use counts. Network has a band of its own there, but no recording tells the size of a link.
insert into quality by name
select
    $trace_id as trace_id, workload, samples, expected as expected_samples, coalesce(gaps, 0) as gaps,
    greatest(1, cast(ceil(5 * least(1.0, samples / expected) - 1e-9) as integer)) as stars,
    case
        when samples = 0 and told is null then 'unknown'
        when coalesce(most, told_most) = 0 then 'zombie'
        when round(coalesce(cpu_share, 100), 6) > 5 and round(coalesce(memory_share, 100), 6) > 5 then 'active'
        else 'idle'
    end as activity
from machines left join gaps using (workload);

-- An inventory is one look at an estate. What it lacks is said here for every format that is one.
insert into notes
select format('an instant inventory: {} of {} workloads are told by one reading of CPU or memory and no time series; '
    'demand is that reading in every hour, and more is planned for by a stated spread (demand.reading_cpu_spread, '
    'demand.reading_memory_spread)', n, total)
from (
    select count(*) filter (
        (cpu_percent_mean is not null and cpu_percent_p95 is null and cpu_percent_max is null)
        or (memory_percent_mean is not null and memory_percent_p95 is null and memory_percent_max is null)
    ) as n, count(*) as total
    from workloads
    where trace_id = $trace_id and workload not in (select workload from paces)
) where n > 0;

-- Functions are recorded by the minute, all of them in the same minutes; one without calls is a zombie.
insert into quality by name
with seen as (
    select count(*) as samples, coalesce(date_diff('minute', min(minute), max(minute)) + 1, 0) as expected
    from minutes where trace_id = $trace_id
),
breaks as (
    select count(*) filter (step > 1) as gaps
    from (
        select date_diff('minute', lag(minute) over (order by minute), minute) as step
        from minutes where trace_id = $trace_id
    )
)
select
    $trace_id as trace_id, w.workload, samples, greatest(1, expected) as expected_samples, gaps,
    greatest(1, cast(ceil(5 * samples / greatest(1, expected) - 1e-9) as integer)) as stars,
    case when samples = 0 then 'unknown'
        when w.workload in (select workload from calls where trace_id = $trace_id) then 'active'
        else 'zombie' end as activity
from workloads w, seen, breaks
where w.trace_id = $trace_id and w.kind = 'function' and w.workload not in (select workload from machines);

-- totals
-- As columns of table traces; each relation has one row.
select
    w.workloads, u.samples + m.minutes * w.functions as samples,
    coalesce(least(u.a, m.a), w.a, b.a, f.a) as "start", coalesce(greatest(u.b, m.b), w.b, b.b, f.b) as "end",
    coalesce(c.calls, 0) as calls, coalesce(c.gb_seconds, 0) as gb_seconds, b.charges, f.flows, q.quality
from (select min(first) as a, max(last) as b, coalesce(sum(samples), 0) as samples from paces) u
positional join (
    select min(minute) as a, max(minute) as b, count(*) as minutes from minutes where trace_id = $trace_id
) m
positional join (
    select count(*) as workloads, count(*) filter (kind = 'function') as functions,
        min(created_at) as a, max(deleted_at) as b
    from workloads where trace_id = $trace_id
) w
positional join (
    select min(period_start) as a, max(period_end) as b, count(*) as charges from charges where trace_id = $trace_id
) b
positional join (
    select min(sampled_at) as a, max(sampled_at) as b, count(distinct (caller, callee)) as flows
    from traffic where trace_id = $trace_id
) f
positional join (
    select sum(calls) as calls, exact_sum(calls * seconds_per_call * memory_mb / 1024) as gb_seconds
    from calls where trace_id = $trace_id
) c
positional join (
    select json_object(
        'stars_1', count(*) filter (stars = 1), 'stars_2', count(*) filter (stars = 2),
        'stars_3', count(*) filter (stars = 3), 'stars_4', count(*) filter (stars = 4),
        'stars_5', count(*) filter (stars = 5),
        'active', count(*) filter (activity = 'active'), 'idle', count(*) filter (activity = 'idle'),
        'zombie', count(*) filter (activity = 'zombie'), 'unknown', count(*) filter (activity = 'unknown')
    ) as quality
    from quality where trace_id = $trace_id
) q;
