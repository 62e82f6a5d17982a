-- What is odd in the samples of a recording, and what is done about it: each rule detects, counts and handles.
--
-- $trace_id; $part of $parts: workloads are looked at part by part, told by a hash of their name; $cores_most, $gib_most:
-- no machine is larger; $tolerance: times its size that a workload may measure. Findings go into table repairs(rule, found,
-- of what, in how many workloads, what was done); found 0 means that there is nothing to tell. Rules that look at all workloads at once come
-- last; gaps are known only after the pace of each workload is.

-- part
create or replace temp table moments_twice as
select workload, sampled_at from usage
where trace_id = $trace_id and ($parts = 1 or hash(workload) % $parts = $part)
group by workload, sampled_at having count(*) > 1;

create or replace temp table twice as
select u.rowid as place, u.workload, u.sampled_at, row_number() over (
    partition by u.workload, u.sampled_at, u.cpu_cores, u.memory_gib, u.cpu_percent, u.memory_percent,
        u.disk_read_mib_per_s, u.disk_write_mib_per_s, u.disk_iops, u.network_in_mib_per_s, u.network_out_mib_per_s,
        u.requests_per_s, u.allocated_cpu_cores, u.allocated_memory_gib
    order by u.rowid) as copy
from usage u semi join moments_twice m on u.workload = m.workload and u.sampled_at = m.sampled_at
where u.trace_id = $trace_id;

delete from usage where trace_id = $trace_id and rowid in (select place from twice where copy > 1);

insert into repairs
select 'duplicates', count(*), 'rows', count(distinct workload), 'equal to another row in every column: one of each was kept'
from twice where copy > 1;

create or replace temp table disputed as
select workload, sampled_at, count(*) as n from twice where copy = 1 group by all having count(*) > 1;

insert into repairs
select 'conflicts', coalesce(sum(n), 0), 'rows', count(distinct workload),
    'other values of the same workload at the same moment: all count, so a percentile sees the highest'
from disputed;

-- A clock set back repeats an hour for everyone; half of those looked at will do.
insert into repairs
select 'clock set back', sum(n), 'rows', max(w),
    format('most workloads have two samples of each moment from {} UTC: local time; both count', min(hour))
from (
    select date_trunc('hour', sampled_at) as hour, sum(n) as n, count(distinct workload) as w
    from disputed group by hour
    having 2 * count(distinct workload) > (select count(distinct workload) from usage
        where trace_id = $trace_id and ($parts = 1 or hash(workload) % $parts = $part))
)
having count(*) between 1 and 10;

-- A clock set forward skips an hour for everyone.
insert into repairs
select 'clock set forward', count(*), 'hours', 0, format('no workload has a sample in the hour from {} UTC: local time, or an outage; '
    || 'that hour is filled with what the same hour of other weeks, or the mean, tells', min(hour) + interval 1 hour)
from (
    select hour, lead(hour) over (order by hour) as next, samples, lead(samples) over (order by hour) as after
    from (
        select date_trunc('hour', sampled_at) as hour, count(*) as samples from usage
        where trace_id = $trace_id and ($parts = 1 or hash(workload) % $parts = $part) group by 1
    )
)
where next - hour = interval 2 hours;

-- whole
create or replace temp table peaks as
select u.workload, max(u.cpu_cores) as cores, max(u.memory_gib) as gib, max(u.cpu_percent) as cpu_percent,
    any_value(w.cpu_cores) as size_cores, any_value(w.memory_gib) as size_gib
from usage u join workloads w using (trace_id, workload)
where trace_id = $trace_id group by u.workload;

insert into repairs
select 'units', count(*), 'workloads', 0, format('more than {} cores or {} GiB, which no machine has: taken as recorded; '
    || 'a conversion from millicores, MHz, bytes or MiB is likely missing', $cores_most, $gib_most)
from workloads left join peaks using (workload)
where trace_id = $trace_id and (greatest(cpu_cores, cores) > $cores_most or greatest(memory_gib, gib) > $gib_most);

insert into repairs
select 'above capacity', count(*), 'workloads', 0,
    'use more than they are allocated: not cut off, they are sized by what was measured'
from peaks where cores > $tolerance * size_cores or gib > $tolerance * size_gib;

-- gaps
insert into repairs
select 'gaps', coalesce(sum(gaps), 0), 'stretches', count(*),
    'no sample for more than one and a half times the pace: nothing is filled in; hours of the week never seen take the mean of those seen'
from quality where trace_id = $trace_id and gaps > 0;
